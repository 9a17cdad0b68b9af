"""The contract of Kept. Inherit it, give it the fixtures it names, and every test must pass."""

import asyncio

import pytest

from application.ports.kept import Kept


class KeptContract:
    """Wants `kept`, with nothing in it, and `other_kept`: another process's view of the same."""

    async def test_the_first_value_stays(self, kept: Kept, other_kept: Kept) -> None:
        assert await kept.first("pepper", b"a\0\xff") == b"a\0\xff"
        assert await other_kept.first("pepper", b"b") == b"a\0\xff"
        assert await kept.first("pepper", b"c") == b"a\0\xff"

    async def test_names_do_not_mix(self, kept: Kept) -> None:
        for number, name in enumerate(("pepper", "Pepper", "pepper ", "' OR 1=1 --", "%", "ключ")):
            assert await kept.first(name, bytes([number])) == bytes([number])

    async def test_nothing_is_a_value_too(self, kept: Kept) -> None:
        assert await kept.first("pepper", b"") == b""
        assert await kept.first("pepper", b"a") == b""

    async def test_many_who_propose_at_once_agree(self, kept: Kept, other_kept: Kept) -> None:
        for name in ("a", "b", "c"):
            proposals = [bytes([number]) for number in range(12)]
            agreed = await asyncio.gather(
                *((kept, other_kept)[proposal[0] % 2].first(name, proposal) for proposal in proposals)
            )

            assert len(set(agreed)) == 1
            assert agreed[0] in proposals

    @pytest.mark.parametrize("name", ["", "a\0", "\ud800", "x" * 201])
    async def test_names_that_are_none_are_refused(self, kept: Kept, name: str) -> None:
        with pytest.raises(ValueError, match="expected a name"):
            await kept.first(name, b"a")
