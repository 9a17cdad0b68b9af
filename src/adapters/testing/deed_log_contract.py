"""What every DeedLog must do."""

import pytest

from adapters.testing.tenants_support import USER, Tenants, added
from domain.audit import AuditEntry, Deed


class DeedLogContract:
    """Wants `tenants`, with nothing in it, and `elsewhere`: another process's view of the same."""

    async def test_a_deed_is_an_entry_among_those_of_changes(self, tenants: Tenants, elsewhere: Tenants) -> None:
        await tenants.change(added(USER))
        tenants.clock.advance(7)

        noted = await tenants.deeds.note_deed(Deed("instance.circuit", "instance:a/b", '{"state": "open"}'), "key:K")
        await tenants.change()
        last = await tenants.deeds.note_deed(Deed("instance.drain", "instance:a/b"), "master")

        at_us = tenants.clock.now_us()
        assert noted == AuditEntry(2, at_us, "key:K", "instance.circuit", "instance:a/b", None, '{"state": "open"}')
        assert last == AuditEntry(3, at_us, "master", "instance.drain", "instance:a/b", None, None)
        assert list(await elsewhere.log.since(1, 10)) == [noted, last]
        assert (await elsewhere.log.page(10, target="instance:a/b")).items == (last, noted)

    @pytest.mark.parametrize(("target", "kept"), [("a\x00\ud800b", "a??b"), ("x" * 600, "x" * 499 + "…")])
    async def test_a_target_that_no_database_holds_is_made_one(self, tenants: Tenants, target: str, kept: str) -> None:
        assert (await tenants.deeds.note_deed(Deed("x", target), "master")).target == kept
        assert (await tenants.log.page(1)).items[0].target == kept
