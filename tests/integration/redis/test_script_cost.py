"""What the scripts on a request's path cost: the same commands whatever is stored, none of which reads a whole ring.

A script holds up everybody else, so its cost must not grow with the traffic of the last minute.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from itertools import count

import pytest
import redis

from adapters.outbound.redis.admission import RedisAdmission
from adapters.outbound.redis.budget import RedisBudgets
from adapters.outbound.redis.connection import connect
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.lua_scripts import all_scripts
from adapters.outbound.redis.routing import RedisRouting
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.system.clock import SystemClock
from adapters.testing.admission.harness import AdmissionHarness, rpm
from adapters.testing.admission.reservation_contract import asking, desk_of
from adapters.testing.doubles import SpyEventSink
from adapters.testing.routing.harness import CONFIG, RoutingHarness, instance, weighted
from adapters.testing.virtual_time import ManualClock
from domain.catalog import Instance
from domain.durations import SECOND_US
from domain.limits.admission import CallerAdmitted
from domain.routing.strategy import Weighted
from tests.servers.fixtures import PATIENT
from tests.servers.redis_servers import RedisServer

# What the measurement itself asks, and the call of the script.
OWN = {"config|resetstat", "info", "evalsha"}
READS_ALL = {"hgetall", "hvals", "hkeys", "hscan", "zrange", "zrangebyscore"}

_numbers = count(1)


class Meter:
    """Counts what the server does; exact, as nobody else asks it."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    async def commands(self, asking: Awaitable[object]) -> Counter[str]:
        """How often each command ran, those of scripts included."""
        self._client.config_resetstat()
        await asking
        stats: dict[str, dict[str, int]] = self._client.info("commandstats")
        calls = Counter({name.removeprefix("cmdstat_"): stat["calls"] for name, stat in stats.items()})
        return Counter({name: number for name, number in calls.items() if name not in OWN})


@pytest.fixture
def meter(server: RedisServer) -> Iterator[Meter]:
    with redis.Redis(port=server.port) as client:
        client.ping()
        yield Meter(client)


@pytest.fixture
async def executor(server: RedisServer) -> AsyncIterator[RedisExecutor]:
    made = RedisExecutor(connect(server.url, PATIENT), all_scripts(), PATIENT, StoreBreaker(SystemClock()))
    await made.load()
    yield made
    await made.aclose()


@pytest.fixture
def routing(executor: RedisExecutor) -> RedisRouting:
    clock = ManualClock()
    return RedisRouting(
        executor, CONFIG, clock, SpyEventSink(), f"cost{next(_numbers)}:", now=lambda: str(clock.now_us())
    )


@pytest.fixture
def harness(routing: RedisRouting) -> RoutingHarness:
    clock = routing._clock
    assert isinstance(clock, ManualClock)

    async def catch_up(_: Sequence[Instance]) -> None:
        await routing.settle()

    return RoutingHarness(routing, clock, SpyEventSink(), catch_up)


@pytest.fixture
def callers(executor: RedisExecutor) -> AdmissionHarness:
    clock, prefix = ManualClock(), f"cost{next(_numbers)}:"

    def now() -> str:
        return str(clock.now_us())

    budgets = RedisBudgets(executor, prefix, now)
    return AdmissionHarness(RedisAdmission(executor, prefix, now), clock, budgets=budgets)


def limited(number: int, *, most: int = 10**6) -> list[Instance]:
    return [instance(f"i{n}", rpm=most, tpm=10**9, max_parallel=10**6) for n in range(number)]


def round_robin(members: list[Instance]) -> Weighted:
    return weighted(*((member, 1) for member in members))


async def fill(harness: RoutingHarness, plan: Weighted, seconds: int = 60) -> None:
    """A request to each member in each second up to now, and its outcome."""
    for _ in range(seconds):
        for _ in plan.children:
            await reported(harness, plan)
        harness.clock.advance(SECOND_US)
    for _ in plan.children:
        await reported(harness, plan)


async def reported(harness: RoutingHarness, plan: Weighted) -> None:
    """A request, and its outcome, which has arrived."""
    (await harness.take(plan, tokens=9)).end(latency_us=5_000, tokens=7)
    await harness._catch_up()


@pytest.mark.parametrize("number", [1, 3, 16])
async def test_an_admission_costs_the_same_however_full_the_windows_are(
    harness: RoutingHarness, meter: Meter, number: int
) -> None:
    plan = round_robin(limited(number))
    await fill(harness, plan, seconds=0)
    of_empty = await meter.commands(harness.take(plan, tokens=9))
    await fill(harness, plan)

    of_full = await meter.commands(harness.take(plan, tokens=9))

    # Of each member its circuit, its charges and its leases; of the round-robin the credits; of the one that is taken
    # the attempts that run there; then what is written.
    reads = {"get": 1, "hmget": 2 * number + 1, "zcount": number + 1}
    assert of_full == of_empty == Counter({**reads, "hset": 2, "zadd": 1, "pexpire": 2, "set": 1})


async def test_seconds_that_have_left_the_window_are_read_at_once(harness: RoutingHarness, meter: Meter) -> None:
    plan = round_robin(limited(3))
    await fill(harness, plan)
    now = await meter.commands(harness.take(plan, tokens=9))
    harness.clock.advance(50 * SECOND_US)

    later = await meter.commands(harness.take(plan, tokens=9))

    # A look more at each member, and the TTL of a second that is charged first.
    assert later - now == Counter({"hmget": 3, "pexpire": 1})


async def test_after_a_pause_longer_than_the_window_nothing_of_it_is_read(
    harness: RoutingHarness, meter: Meter
) -> None:
    plan = round_robin(limited(3))
    await fill(harness, plan)
    now = await meter.commands(harness.take(plan, tokens=9))
    harness.clock.advance(61 * SECOND_US)

    later = await meter.commands(harness.take(plan, tokens=9))

    assert later - now == Counter({"del": 1, "pexpire": 1})


async def test_what_has_no_limits_is_not_asked_for_its_charges(harness: RoutingHarness, meter: Meter) -> None:
    plan = round_robin([instance(f"free{n}") for n in range(16)])
    await fill(harness, plan, seconds=2)

    seen = await meter.commands(harness.take(plan, tokens=9))

    # Sixteen circuits, the credits, and the charges and the attempts of the one that is taken.
    assert (seen["hmget"], seen["zcount"]) == (18, 1)


async def test_a_refusal_reads_no_more_of_a_full_window_than_tells_when_it_fits(
    harness: RoutingHarness, meter: Meter
) -> None:
    plan = round_robin(limited(3, most=61))
    await fill(harness, plan)

    seen = await meter.commands(harness.refused(plan, tokens=9))

    # Of each member its circuit, its charges, and the oldest seconds of those.
    assert seen == Counter({"get": 1, "hmget": 9})


async def test_a_report_costs_the_same_however_full_the_windows_are(harness: RoutingHarness, meter: Meter) -> None:
    plan = weighted((instance("reported"), 1))
    await fill(harness, plan, seconds=0)
    of_empty = await meter.commands(reported(harness, plan))
    await fill(harness, plan)

    of_full = await meter.commands(reported(harness, plan))

    assert of_full == of_empty
    assert READS_ALL & of_full.keys() == set()


async def test_a_report_after_a_pause_drops_all_that_has_left_at_once(harness: RoutingHarness, meter: Meter) -> None:
    plan = weighted((instance("reported"), 1))
    await fill(harness, plan)
    harness.clock.advance(CONFIG.window_us - 5 * SECOND_US)

    seen = await meter.commands(reported(harness, plan))

    assert seen["hdel"] == 1
    assert READS_ALL & seen.keys() == set()


async def test_a_report_after_a_pause_longer_than_the_window_reads_nothing_of_it(
    harness: RoutingHarness, meter: Meter
) -> None:
    plan = weighted((instance("reported"), 1))
    await fill(harness, plan)
    of_full = await meter.commands(reported(harness, plan))
    harness.clock.advance(CONFIG.window_us)

    later = await meter.commands(reported(harness, plan))

    # The charges of a minute are still looked at; outcomes start anew.
    assert (later - of_full)["hmget"] == 1
    assert (later["hdel"], (later - of_full)["del"]) == (0, 1)


async def test_a_picture_costs_the_same_however_full_the_windows_are(
    harness: RoutingHarness, routing: RedisRouting, meter: Meter
) -> None:
    members = limited(1)
    await fill(harness, round_robin(members))

    seen = await meter.commands(routing.refresh(members))

    # The whole hash is that of latencies, which has two fields.
    assert seen == Counter({"hmget": 3, "zcount": 1, "hgetall": 1})


async def test_a_caller_costs_the_same_however_full_its_window_is(callers: AdmissionHarness, meter: Meter) -> None:
    await callers.take(rpm(10**6))
    of_empty = await meter.commands(callers.take(rpm(10**6)))
    for _ in range(61):
        callers.clock.advance(SECOND_US)
        await callers.take(rpm(10**6))

    of_full = await meter.commands(callers.take(rpm(10**6)))
    callers.clock.advance(50 * SECOND_US)
    later = await meter.commands(callers.take(rpm(10**6)))

    assert of_full == of_empty
    # To decide and to charge, each one look more, and one command to drop them all.
    assert later - of_full == Counter({"hmget": 2, "hdel": 1, "pexpire": 1})
    assert READS_ALL & later.keys() == set()


async def test_a_request_costs_its_budgets_what_they_are_not_what_was_reserved(
    callers: AdmissionHarness, meter: Meter
) -> None:
    desk = desk_of(callers)
    charges = (await desk.opened("key", 10**15), await desk.opened("team", 10**15))

    async def entered() -> None:
        assert isinstance(await callers.admission.admit(asking(callers, 5, charges, rpm(10**6))), CallerAdmitted)

    await entered()
    of_few = await meter.commands(entered())
    for _ in range(300):
        await entered()
    of_many = await meter.commands(entered())
    of_limits = await meter.commands(callers.take(rpm(10**6)))

    assert of_many == of_few
    # The attempt and each budget is read once; what is overdue is looked for; then three keys are written.
    of_budgets = {"hget": 1, "zrangebyscore": 2, "hmget": 2, "hset": 1, "zadd": 2, "zrange": 1, "pexpire": 3}
    assert of_many - of_limits == Counter(of_budgets)
    assert of_limits - of_many == Counter()


async def test_a_request_that_a_limit_refuses_does_not_look_at_its_budgets(
    callers: AdmissionHarness, meter: Meter
) -> None:
    charge = await desk_of(callers).opened("key", 10**15)
    await callers.take(rpm(1))

    seen = await meter.commands(callers.admission.admit(asking(callers, 5, (charge,), rpm(1))))

    assert seen == Counter({"get": 1, "hmget": 2})
