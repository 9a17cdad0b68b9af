"""The contract of ResponseCache, second half: fills and purges. Wants the fixtures of ResponseCacheContract."""

import asyncio

import pytest

from adapters.testing.response_cache_contract import LEASE_US, TTL_US, filled, reply
from adapters.testing.virtual_time import ManualClock
from application.ports.response_cache import ResponseCache
from domain.response_cache import CacheUse, Fill, FillHeld


class FillContract:
    """Fills: one of many misses calls upstream."""

    async def test_one_of_many_gets_the_fill(self, response_cache: ResponseCache, other_cache: ResponseCache) -> None:
        caches = [response_cache, other_cache]
        answers = await asyncio.gather(
            *(caches[number % 2].acquire_fill("t", "a", f"r-{number}", LEASE_US) for number in range(40))
        )

        (fill,) = (answer for answer in answers if isinstance(answer, Fill))
        assert answers.count(FillHeld(LEASE_US, fill.owner)) == 39

    @pytest.mark.parametrize("owner", ["", "a:b", "т\r\n", "\ud800"])
    async def test_who_asks_in_vain_is_told_whose_it_is(
        self, response_cache: ResponseCache, other_cache: ResponseCache, owner: str
    ) -> None:
        await filled(response_cache, "t", "a", owner)

        assert await other_cache.acquire_fill("t", "a", "r-2", LEASE_US) == FillHeld(LEASE_US, owner)

    async def test_fills_of_other_keys_and_scopes_are_free(self, response_cache: ResponseCache) -> None:
        for scope, key in (("t", "a"), ("t", "b"), ("u", "a")):
            assert isinstance(await response_cache.acquire_fill(scope, key, "r-1", LEASE_US), Fill)

    async def test_the_owner_who_asks_again_has_the_same_fill(
        self, response_cache: ResponseCache, clock: ManualClock
    ) -> None:
        fill = await filled(response_cache, "t", "a")
        clock.advance(1)

        assert await response_cache.acquire_fill("t", "a", "r-1", LEASE_US) == fill

    async def test_a_fill_ends_with_its_time_and_others_are_told_when(
        self, response_cache: ResponseCache, clock: ManualClock
    ) -> None:
        fill = await filled(response_cache, "t", "a")
        assert fill.expires_us == clock.now_us() + LEASE_US

        clock.advance(LEASE_US - 1)
        assert await response_cache.acquire_fill("t", "a", "r-2", LEASE_US) == FillHeld(1, "r-1")
        clock.advance(1)
        await filled(response_cache, "t", "a", "r-2")

        assert not await response_cache.put("t", "a", reply(), TTL_US, fill)
        assert await response_cache.get("t", "a") is None

    async def test_a_fill_that_expired_stores_nothing_though_nobody_else_has_it(
        self, response_cache: ResponseCache, clock: ManualClock
    ) -> None:
        fill = await filled(response_cache, "t", "a")
        clock.advance(LEASE_US)

        assert not await response_cache.put("t", "a", reply(), TTL_US, fill)
        assert not await response_cache.abandon_fill(fill)
        assert (await response_cache.stats("t")).stores == 0

    async def test_storing_gives_the_fill_back_and_late_askers_get_the_reply(
        self, response_cache: ResponseCache, other_cache: ResponseCache
    ) -> None:
        fill = await filled(response_cache, "t", "a")
        assert await other_cache.get("t", "a") is None

        assert await response_cache.put("t", "a", reply(), TTL_US, fill)

        assert await other_cache.acquire_fill("t", "a", "r-2", LEASE_US) == reply()
        assert not await response_cache.abandon_fill(fill)

    async def test_storing_again_with_the_same_fill_answers_the_same_and_stores_once(
        self, response_cache: ResponseCache
    ) -> None:
        fill = await filled(response_cache, "t", "a")

        answers = [await response_cache.put("t", "a", reply(body), TTL_US, fill) for body in (b"one", b"two")]

        assert answers == [True, True]
        assert await response_cache.get("t", "a") == reply(b"one")
        assert (await response_cache.stats("t")).stores == 1

    async def test_an_abandoned_fill_is_free_at_once(self, response_cache: ResponseCache) -> None:
        fill = await filled(response_cache, "t", "a")

        assert await response_cache.abandon_fill(fill)

        assert not await response_cache.abandon_fill(fill)
        await filled(response_cache, "t", "a", "r-2")
        assert not await response_cache.put("t", "a", reply(), TTL_US, fill)
        assert not await response_cache.abandon_fill(fill)


class PurgeContract:
    """Purges: what was there is out of reach, and what is on its way is refused."""

    async def test_a_purge_forgets_one_scope_and_counts(self, response_cache: ResponseCache) -> None:
        for scope, key in (("t", "a"), ("t", "b"), ("u", "a")):
            await response_cache.put(scope, key, reply(), TTL_US)

        assert await response_cache.purge("t") == 2

        assert await response_cache.get("t", "a") is None
        assert await response_cache.get("u", "a") == reply()
        assert ((await response_cache.stats("t")).entries, (await response_cache.stats("t")).bytes) == (0, 0)
        assert await response_cache.purge("t") == 0

    async def test_what_has_expired_is_not_counted(self, response_cache: ResponseCache, clock: ManualClock) -> None:
        await response_cache.put("t", "a", reply(), TTL_US)
        await response_cache.put("t", "b", reply(), TTL_US + 1)
        clock.advance(TTL_US)

        assert await response_cache.purge("t") == 1

    @pytest.mark.parametrize("scope", ["t", None])
    async def test_a_purge_revokes_fills_and_frees_their_keys(
        self, response_cache: ResponseCache, other_cache: ResponseCache, scope: str | None
    ) -> None:
        fill = await filled(response_cache, "t", "a")

        await other_cache.purge(scope)

        assert not await response_cache.put("t", "a", reply(), TTL_US, fill)
        assert await response_cache.get("t", "a") is None
        again = await filled(response_cache, "t", "a")
        assert not await response_cache.put("t", "a", reply(), TTL_US, fill)
        assert await response_cache.put("t", "a", reply(), TTL_US, again)
        assert await other_cache.get("t", "a") == reply()

    async def test_a_purge_of_one_scope_leaves_fills_of_others_alone(self, response_cache: ResponseCache) -> None:
        fill = await filled(response_cache, "t", "a")

        await response_cache.purge("u")

        assert await response_cache.put("t", "a", reply(), TTL_US, fill)

    async def test_a_purge_of_all_forgets_every_scope(
        self, response_cache: ResponseCache, other_cache: ResponseCache
    ) -> None:
        for scope in ("t", "u", "v"):
            await response_cache.put(scope, "a", reply(), TTL_US)

        assert await other_cache.purge(None) == 3

        assert [await response_cache.get(scope, "a") for scope in ("t", "u", "v")] == [None, None, None]
        total = await response_cache.stats()
        assert (total.stores, total.entries, total.bytes) == (3, 0, 0)

    async def test_scopes_in_use_are_told_and_stay_after_a_purge(
        self, response_cache: ResponseCache, other_cache: ResponseCache
    ) -> None:
        assert list(await response_cache.scopes()) == []
        await response_cache.put("team:T/key:K", "a", reply(), TTL_US)
        await response_cache.acquire_fill("asked", "a", "r-1", LEASE_US)
        await response_cache.count("counted", {"m": CacheUse(hits=1)})
        await response_cache.get("read", "a")

        for scope in ("team:T/key:K", None):
            await response_cache.purge(scope)
            assert sorted(await other_cache.scopes()) == ["asked", "counted", "team:T/key:K"]

    async def test_purges_follow_each_other_in_no_time(self, response_cache: ResponseCache) -> None:
        for _ in range(3):
            assert await response_cache.put("t", "a", reply(), TTL_US)
            assert await response_cache.purge("t") == 1
            assert await response_cache.get("t", "a") is None
