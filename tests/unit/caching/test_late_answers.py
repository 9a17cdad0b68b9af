"""A store whose answer comes too late, though it did what it was asked."""

from typing import Any

import pytest

from adapters.testing.scripted_provider import Act
from adapters.testing.virtual_time import run_virtual
from application.errors import StateUnavailable
from domain.durations import SECOND_US
from tests.unit.caching.fleet import CachingGateway, SharedReplies, content_of

WARM: dict[str, Any] = {"messages": [{"role": "user", "content": "make something up"}]}
KEYED: dict[str, Any] = {"fields": WARM, "idempotency_key": "k-1"}


def late(shared: SharedReplies, times: int = 1) -> list[str]:
    """Loses the first answers to who asks for a fill; who asked, in turn."""
    acquire, asked = shared.cache.acquire_fill, []

    async def lost(scope: str, key: str, owner: str, ttl_us: int) -> Any:
        asked.append(owner)
        # Only the first is heard at all: then the store is away.
        found = await acquire(scope, key, owner, ttl_us) if len(asked) == 1 or len(asked) > times else None
        if len(asked) <= times:
            raise StateUnavailable("no answer in time")
        return found

    shared.cache.acquire_fill = lost  # type: ignore[method-assign]
    return asked


def gateway_of(shared: SharedReplies) -> CachingGateway:
    gateway = CachingGateway(shared)
    for upstream in gateway.inner.upstreams.values():
        upstream.otherwise = Act(delay_us=SECOND_US // 5, text="served")
    return gateway


@pytest.mark.parametrize(("times", "wait_us"), [(1, SECOND_US), (3, 6 * SECOND_US)])
def test_a_key_is_free_again_soon_after_its_request_ran_without_it(times: int, wait_us: int) -> None:
    async def scenario() -> None:
        shared = SharedReplies()
        asked = late(shared, times)
        one, two = gateway_of(shared), gateway_of(shared)

        first = await one.complete(**KEYED)
        assert first.trace.degraded == ("idempotency",)
        await one.clock.sleep(wait_us)

        assert len(set(asked)) == 1
        assert content_of(await two.complete(**KEYED)) == "served"

    run_virtual(scenario())


def test_a_store_that_stays_away_is_asked_for_no_longer_than_the_right_would_hold() -> None:
    async def scenario() -> None:
        shared = SharedReplies()
        asked = late(shared, 1_000)
        one = gateway_of(shared)

        await one.complete(**KEYED)
        await one.idempotency.flights.settle()

        assert 2 < len(asked) < 10
        assert one.clock.monotonic_us() < 40 * SECOND_US

    run_virtual(scenario())
