import asyncio

import pytest

from adapters.testing.virtual_time import VirtualClock, run_virtual
from application.announcing import keep_announcing
from domain.gateways import ANNOUNCE_EVERY_US, announce, share


def test_a_gateway_is_counted_until_its_time_is_up() -> None:
    gateways: dict[str, int] = {}

    counts = [announce(gateways, "a", 6, 0), announce(gateways, "b", 6, 5), announce(gateways, "b", 6, 6)]

    assert counts == [1, 2, 1]
    assert gateways == {"b": 12}


@pytest.mark.parametrize(
    ("limit", "gateways", "expected"), [(100, 4, 25), (10, 3, 4), (1, 50, 1), (0, 3, 0), (7, 0, 7), (7, 1, 7)]
)
def test_a_share_is_rounded_up_and_at_least_one_request(limit: int, gateways: int, expected: int) -> None:
    assert share(limit, gateways) == expected


class SpyRegistry:
    def __init__(self) -> None:
        self.said: list[str] = []

    async def announce(self) -> None:
        self.said.append("here")

    async def leave(self) -> None:
        self.said.append("gone")

    def count(self) -> int:
        return 1


def test_a_gateway_announces_itself_every_two_seconds_and_leaves_at_the_end() -> None:
    registry = SpyRegistry()

    async def live() -> None:
        clock = VirtualClock()
        announcing = asyncio.ensure_future(keep_announcing(registry, clock))
        await clock.sleep(2 * ANNOUNCE_EVERY_US + 1)
        announcing.cancel()
        await asyncio.gather(announcing, return_exceptions=True)

    run_virtual(live())

    assert registry.said == ["here", "here", "here", "gone"]
