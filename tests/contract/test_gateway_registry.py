import pytest

from adapters.outbound.memory.gateway_registry import MemoryGatewayRegistry
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.gateway_registry import RedisGatewayRegistry
from adapters.testing.gateway_registry_contract import GatewayRegistryContract
from adapters.testing.virtual_time import ManualClock
from application.errors import StateUnavailable
from domain.gateways import ANNOUNCE_EVERY_US, LIVE_US


class TestMemoryGatewayRegistry(GatewayRegistryContract):
    @pytest.fixture
    def registry(self) -> MemoryGatewayRegistry:
        return MemoryGatewayRegistry()


class TestRedisGatewayRegistry(GatewayRegistryContract):
    @pytest.fixture
    def registry(self, redis_executor: RedisExecutor, redis_prefix: str) -> RedisGatewayRegistry:
        return RedisGatewayRegistry(redis_executor, redis_prefix, "one", ManualClock())


class Fleet:
    """Gateways on one Redis, in virtual time."""

    def __init__(self, executor: RedisExecutor, prefix: str, size: int) -> None:
        self.clock = ManualClock()
        self.executor = executor
        self.key = f"{prefix}{{gateways}}"
        self.members = [
            RedisGatewayRegistry(executor, prefix, f"g{number}", self.clock, lambda: str(self.clock.now_us()))
            for number in range(size)
        ]

    async def announce(self, *numbers: int) -> None:
        for number in numbers or range(len(self.members)):
            await self.members[number].announce()

    @property
    def counts(self) -> list[int | None]:
        return [member.count() for member in self.members]


@pytest.fixture
def fleet(redis_executor: RedisExecutor, redis_prefix: str) -> Fleet:
    return Fleet(redis_executor, redis_prefix, 4)


async def test_gateways_count_each_other(fleet: Fleet) -> None:
    await fleet.announce()
    await fleet.announce()

    assert fleet.counts == [4, 4, 4, 4]


async def test_a_silent_gateway_is_counted_until_its_time_is_up(fleet: Fleet) -> None:
    await fleet.announce()
    await fleet.announce()
    fleet.clock.advance(LIVE_US - 1)
    await fleet.announce(0)
    just_before = fleet.counts[0]
    fleet.clock.advance(1)
    await fleet.announce(0)

    assert (just_before, fleet.counts[0]) == (4, 1)


async def test_a_gateway_that_leaves_is_counted_no_more(fleet: Fleet) -> None:
    await fleet.announce()
    await fleet.members[3].leave()
    await fleet.announce(0)

    assert fleet.counts[0] == 3


async def test_the_set_of_gateways_goes_when_they_are_gone(fleet: Fleet) -> None:
    await fleet.announce()

    assert 0 < await fleet.executor.command("PTTL", fleet.key) <= LIVE_US // 1_000 + 60_000


async def test_the_count_is_kept_while_redis_is_away(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    await fleet.announce()
    await fleet.announce()

    async def away(*_: object) -> None:
        raise StateUnavailable("away")

    with monkeypatch.context() as outage:
        outage.setattr(fleet.executor, "call", away)
        outage.setattr(fleet.executor, "command", away)
        fleet.clock.advance(10 * LIVE_US)
        await fleet.announce()
        await fleet.members[0].leave()

    assert fleet.counts == [4, 4, 4, 4]


async def test_the_first_one_back_after_an_outage_does_not_think_it_is_alone(fleet: Fleet) -> None:
    # Else a second outage right after the first would let each of them admit the whole limit.
    await fleet.announce()
    await fleet.announce()
    fleet.clock.advance(LIVE_US + 1)
    await fleet.announce(0)
    right_after = fleet.counts[0]
    for _ in range(LIVE_US // ANNOUNCE_EVERY_US):
        fleet.clock.advance(ANNOUNCE_EVERY_US)
        await fleet.announce(0, 1)

    assert (right_after, fleet.counts[0]) == (4, 2)
