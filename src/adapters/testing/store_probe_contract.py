"""The contract of the StoreProbe port. Inherit it, give it its fixtures, and every test must pass."""

import asyncio

from application.ports.store_probe import StoreProbe

PATIENCE_S = 3.0


class StoreProbeContract:
    """Wants `answering`, of a store that is there, and `absent`, of one that is not."""

    async def test_a_store_that_is_there_answers_every_time(self, answering: StoreProbe) -> None:
        assert [await answering.ping() for _ in range(3)] == [True, True, True]

    async def test_a_store_that_is_not_there_does_not_answer_and_does_not_fail(self, absent: StoreProbe) -> None:
        async with asyncio.timeout(PATIENCE_S):
            assert await absent.ping() is False

    async def test_several_may_ask_at_once(self, answering: StoreProbe) -> None:
        assert all(await asyncio.gather(*(answering.ping() for _ in range(5))))

    async def test_who_asks_may_be_cancelled_and_the_next_one_is_answered(self, answering: StoreProbe) -> None:
        asking = asyncio.ensure_future(answering.ping())
        await asyncio.sleep(0)
        asking.cancel()

        # Either way: a client may have its answer before it hears of the cancellation.
        ended, _ = await asyncio.wait({asking}, timeout=PATIENCE_S)
        assert ended == {asking}
        assert await answering.ping()
