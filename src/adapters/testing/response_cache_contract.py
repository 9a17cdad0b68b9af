"""The contract of ResponseCache. Inherit it, and those of cache_fill_contract, give them the fixtures named here.

Wants `response_cache`, empty, which takes bodies of up to LARGEST_BODY bytes and whose time is `clock`, and
`other_cache`: the same store as another gateway sees it.
"""

import pytest

from adapters.testing.virtual_time import ManualClock
from application.ports.response_cache import ResponseCache
from domain.chat import Usage
from domain.response_cache import LONGEST_TTL_US, MODELS_COUNTED, CachedReply, CacheStats, CacheUse, Fill

LARGEST_BODY = 1_000
TTL_US = 60_000_000
LEASE_US = 10_000_000

_BINARY = bytes(range(256))


def reply(body: bytes = b"hello", model: str = "m") -> CachedReply:
    """A reply with every field set, and numbers that no float holds."""
    return CachedReply(body, model, 1_800_000_000_123_457, Usage(7, 3, 2, estimated=True))


async def filled(cache: ResponseCache, scope: str, key: str, owner: str = "r-1", ttl_us: int = LEASE_US) -> Fill:
    """The fill, which nobody else holds."""
    fill = await cache.acquire_fill(scope, key, owner, ttl_us)
    assert isinstance(fill, Fill)
    return fill


class ResponseCacheContract:
    """Replies: what is stored is found, by its own scope only, for its time."""

    async def test_a_stored_reply_is_found_as_it_was(self, response_cache: ResponseCache) -> None:
        for key, kept in (("a", reply(_BINARY, "модель\r\n")), ("b", CachedReply(b"", "", 0, None))):
            assert await response_cache.put("t", key, kept, TTL_US)
            assert await response_cache.get("t", key) == kept

    async def test_what_was_never_stored_is_not_found(self, response_cache: ResponseCache) -> None:
        assert await response_cache.get("t", "a") is None

    async def test_another_gateway_finds_it(self, response_cache: ResponseCache, other_cache: ResponseCache) -> None:
        await response_cache.put("t", "a", reply(), TTL_US)

        assert await other_cache.get("t", "a") == reply()

    @pytest.mark.parametrize("other", ["t2", "T", "", "t:", "t ", "{t}", "т"])
    async def test_another_scope_finds_nothing_under_the_same_key(
        self, response_cache: ResponseCache, other: str
    ) -> None:
        await response_cache.put("t", "a", reply(), TTL_US)

        assert await response_cache.get(other, "a") is None
        assert isinstance(await response_cache.acquire_fill(other, "a", "r-1", LEASE_US), Fill)

    async def test_scope_and_key_do_not_flow_into_each_other(self, response_cache: ResponseCache) -> None:
        await response_cache.put("a:b", "c", reply(), TTL_US)

        assert await response_cache.get("a", "b:c") is None

    async def test_a_reply_ends_with_its_time(self, response_cache: ResponseCache, clock: ManualClock) -> None:
        await response_cache.put("t", "a", reply(), TTL_US)

        clock.advance(TTL_US - 1)
        assert await response_cache.get("t", "a") == reply()
        clock.advance(1)
        assert await response_cache.get("t", "a") is None

    async def test_no_reply_is_kept_longer_than_the_longest_time(
        self, response_cache: ResponseCache, clock: ManualClock
    ) -> None:
        await response_cache.put("t", "a", reply(), 10 * LONGEST_TTL_US)

        clock.advance(LONGEST_TTL_US)

        assert await response_cache.get("t", "a") is None

    async def test_a_newer_reply_replaces_an_older_one(self, response_cache: ResponseCache, clock: ManualClock) -> None:
        await response_cache.put("t", "a", reply(b"old"), TTL_US)
        clock.advance(TTL_US - 1)
        await response_cache.put("t", "a", reply(b"new"), TTL_US)
        clock.advance(TTL_US - 1)

        assert await response_cache.get("t", "a") == reply(b"new")
        assert (await response_cache.stats("t")).entries == 1

    async def test_a_body_that_is_too_large_is_refused(self, response_cache: ResponseCache) -> None:
        assert await response_cache.put("t", "fits", reply(b"x" * LARGEST_BODY), TTL_US)
        assert not await response_cache.put("t", "large", reply(b"x" * (LARGEST_BODY + 1)), TTL_US)

        assert await response_cache.get("t", "large") is None

    async def test_statistics_count_what_happened_and_what_is_there(
        self, response_cache: ResponseCache, clock: ManualClock
    ) -> None:
        fill = await filled(response_cache, "t", "a")
        await response_cache.put("t", "a", reply(), TTL_US, fill)
        await response_cache.put("t", "b", reply(b"x" * 900), 2 * TTL_US)
        uses = {"m": CacheUse(2, 1, 3)}
        await response_cache.count("t", uses)
        both = reply().size_bytes + reply(b"x" * 900).size_bytes
        assert await response_cache.stats("t") == CacheStats(2, 1, 2, 0, 2, both, 3, uses)

        clock.advance(TTL_US)

        left = CacheStats(2, 1, 2, 0, 1, reply(b"x" * 900).size_bytes, 3, uses)
        assert await response_cache.stats("t") == left
        assert await response_cache.stats("nobody") == CacheStats()

    async def test_the_sum_is_over_all_scopes(self, response_cache: ResponseCache, other_cache: ResponseCache) -> None:
        await response_cache.put("t", "a", reply(), TTL_US)
        await other_cache.put("u", "a", reply(), TTL_US)
        await response_cache.count("t", {"m": CacheUse(hits=1)})
        await other_cache.count("u", {"m": CacheUse(misses=1), "n": CacheUse(hits=1)})

        total = await response_cache.stats()

        assert total == await response_cache.stats("t") + await response_cache.stats("u")
        assert (total.hits, total.stores, total.entries) == (2, 2, 2)
        assert total.by_model == {"m": CacheUse(1, 1), "n": CacheUse(hits=1)}

    async def test_reading_and_acquiring_count_nothing(self, response_cache: ResponseCache) -> None:
        await response_cache.get("t", "a")
        fill = await filled(response_cache, "t", "a")
        await response_cache.put("t", "a", reply(), TTL_US, fill)
        await response_cache.get("t", "a")
        await response_cache.acquire_fill("t", "a", "r-2", LEASE_US)

        stats = await response_cache.stats("t")
        assert (stats.hits, stats.misses, stats.bypasses, stats.by_model) == (0, 0, 0, {})

    async def test_uses_add_up_by_model_over_all_gateways(
        self, response_cache: ResponseCache, other_cache: ResponseCache
    ) -> None:
        names = ("m", "", "a:b", "модель\r\n", "hits:m")
        for cache, use in ((response_cache, CacheUse(1, 2, 3)), (other_cache, CacheUse(hits=2**40 + 1))):
            await cache.count("only counted", dict.fromkeys(names, use))

        assert (await response_cache.stats()).by_model == dict.fromkeys(names, CacheUse(2**40 + 2, 2, 3))

    async def test_models_beyond_the_bound_are_counted_as_one(self, response_cache: ResponseCache) -> None:
        for start in (0, 600):
            models = [f"m{number}" for number in range(start, start + 600)]
            await response_cache.count("t", dict.fromkeys(models, CacheUse(hits=1)))
        await response_cache.count("t", {"m0": CacheUse(misses=1), "new": CacheUse(bypasses=1)})

        by_model = (await response_cache.stats("t")).by_model

        assert len(by_model) == MODELS_COUNTED + 1
        assert by_model["m0"] == CacheUse(hits=1, misses=1)
        assert by_model["other"] == CacheUse(hits=200, bypasses=1)
        assert (await response_cache.stats("u")).by_model == {}

    async def test_a_replaced_reply_counts_once_in_bytes(self, response_cache: ResponseCache) -> None:
        for body in (b"x" * 500, b"y"):
            await response_cache.put("t", "a", reply(body), TTL_US)

        assert (await response_cache.stats("t")).bytes == reply(b"y").size_bytes
