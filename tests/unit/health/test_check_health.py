"""What one check says and does: the audit's sections 6.2 and 6.3."""

import asyncio
from dataclasses import replace

import pytest

from adapters.outbound.memory.routing import MemoryRouting
from adapters.testing.doubles import SeededRandomness
from adapters.testing.routing.harness import CONFIG, RoutingHarness
from adapters.testing.scripted_provider import Act, fails
from adapters.testing.virtual_time import run_virtual
from application.errors import Conflict, InstanceNotFound, InvalidRequest
from application.use_cases.check_health import LONGEST_CHECK_US, CheckHealth, CheckInstance
from domain.catalog import Catalog, RouterPolicy
from domain.durations import SECOND_US
from domain.failure import FailureKind
from domain.health_report import REPORT_TTL_US, HealthReport
from domain.identifiers import InstanceId
from domain.lock import Held
from domain.resilience.circuit_breaker import CircuitState
from tests.unit.health.fleet import MODEL, CountingLock, Fleet, member

ONE = member("a")
AT_US = 1_700_000_000_000_000
DOWN = fails(FailureKind.SERVER_ERROR, status=500)


def check_of(fleet: Fleet) -> CheckHealth:
    return fleet.rounds[0]._check


class ReloadingLock(CountingLock):
    """The instance leaves while the lock is asked for."""

    fleet: Fleet

    async def acquire(self, name: str, owner: str, ttl_us: int) -> Held | None:
        self.fleet.upstreams.clear()
        self.fleet.source.replace(Catalog({MODEL: ()}), RouterPolicy())
        return await super().acquire(name, owner, ttl_us)


def asked_by_hand(fleet: Fleet) -> CheckInstance:
    return CheckInstance(fleet.source, check_of(fleet), fleet.lock, fleet.clock, SeededRandomness())


async def checked(fleet: Fleet, act: Act) -> HealthReport:
    fleet.upstreams[ONE.id].checks.append(act)
    return await check_of(fleet)(ONE, AT_US)


def test_audit_6_2_a_provider_that_answers_is_healthy_and_was_asked_for_no_completion() -> None:
    async def scenario() -> None:
        fleet = Fleet([ONE])

        report = await checked(fleet, Act(delay_us=250_000))

        assert report == HealthReport(AT_US, reachable=True, latency_us=250_000, status=200)
        assert fleet.upstreams[ONE.id].calls == []

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("kind", "status", "reachable"),
    [
        (FailureKind.CREDENTIAL_REFUSED, 401, True),
        (FailureKind.FORBIDDEN, 403, True),
        (FailureKind.REQUEST_REFUSED, 404, True),
        (FailureKind.REQUEST_REFUSED, 405, True),
        (FailureKind.RATE_LIMITED, 429, True),
        (FailureKind.SERVER_ERROR, 500, False),
        (FailureKind.SERVER_ERROR, 503, False),
        (FailureKind.BROKEN_REPLY, 302, False),
        (FailureKind.CONNECT, None, False),
    ],
)
def test_audit_6_2_a_refusal_means_reachable_and_an_error_does_not(
    kind: FailureKind, status: int | None, reachable: bool
) -> None:
    async def scenario() -> None:
        report = await checked(Fleet([ONE]), fails(kind, status=status, delay_us=1_000))

        assert (report.reachable, report.status, report.message) == (reachable, status, f"scripted {kind.value}")
        assert report.latency_us == (None if status is None else 1_000)

    run_virtual(scenario())


def test_a_provider_that_is_silent_for_ten_seconds_has_failed() -> None:
    async def scenario() -> None:
        fleet = Fleet([ONE])

        report = await checked(fleet, Act(hang=True))

        assert report == HealthReport(
            AT_US, reachable=False, latency_us=None, status=None, message="the provider did not answer within 10 s"
        )
        assert fleet.clock.monotonic_us() == LONGEST_CHECK_US

    run_virtual(scenario())


def test_audit_6_3_reports_are_stored_for_five_minutes_and_counted_by_model() -> None:
    async def scenario() -> None:
        fleet = Fleet([ONE, member("b"), member("c")])
        fleet.upstreams[InstanceId("b")].otherwise = DOWN
        for name, delay_us in (("a", 100_000), ("b", 0), ("c", 300_000)):
            fleet.upstreams[InstanceId(name)].checks.extend([Act(delay_us=delay_us)] if delay_us else [])
            await check_of(fleet)(member(name), AT_US)

        found = await fleet.health.of_model(MODEL)
        assert (found.healthy, found.total, found.average_latency_us) == (2, 3, 200_000)
        assert (await fleet.health.of_instance(ONE.id)) == HealthReport(AT_US, True, 100_000, 200)

        await fleet.clock.sleep(REPORT_TTL_US)
        assert (await fleet.health.of_model(MODEL)).total == 0

    run_virtual(scenario())


def test_a_passing_check_half_opens_an_open_circuit_and_a_failing_one_leaves_it() -> None:
    async def scenario() -> None:
        fleet = Fleet([ONE])
        routing = MemoryRouting(CONFIG, fleet.clock, fleet.events, fleet.states)
        await RoutingHarness(routing, fleet.clock, fleet.events).fail(ONE, CONFIG.consecutive_failures)  # type: ignore[arg-type]  # it asks the clock for no more

        await checked(fleet, DOWN)
        assert fleet.states.of(ONE).circuit.state is CircuitState.OPEN
        await checked(fleet, Act())
        assert fleet.states.of(ONE).circuit.state is CircuitState.HALF_OPEN
        await checked(fleet, Act())
        await checked(fleet, DOWN)
        assert fleet.states.of(ONE).circuit.state is CircuitState.HALF_OPEN

    run_virtual(scenario())


def test_failing_checks_never_open_a_circuit() -> None:
    async def scenario() -> None:
        fleet = Fleet([ONE])
        for _ in range(100):
            await checked(fleet, DOWN)

        assert fleet.states.of(ONE).circuit.state is CircuitState.CLOSED
        assert fleet.events.events == []

    run_virtual(scenario())


def test_an_operators_check_is_made_at_once_and_stands_as_the_last_one() -> None:
    async def scenario() -> None:
        fleet = Fleet([ONE])
        async with fleet.checking():
            await asyncio.sleep(20)
            fleet.upstreams[ONE.id].checks.append(DOWN)
            report = await asked_by_hand(fleet)(ONE.id)
            assert not report.reachable
            assert await fleet.health.of_instance(ONE.id) == report
            assert len(fleet.checks_of("a")) == 2
            await asyncio.sleep(20)
            later = await fleet.health.of_instance(ONE.id)

        assert later is not None
        assert later.reachable
        assert later.checked_at_us >= report.checked_at_us + 5 * SECOND_US

    run_virtual(scenario())


def test_two_operators_do_not_check_an_instance_at_once() -> None:
    async def scenario() -> None:
        fleet = Fleet([ONE])
        fleet.upstreams[ONE.id].otherwise = Act(delay_us=SECOND_US)
        ask = asked_by_hand(fleet)
        first = asyncio.create_task(ask(ONE.id))
        await asyncio.sleep(0.5)
        with pytest.raises(Conflict):
            await CheckInstance(fleet.source, check_of(fleet), fleet.lock, fleet.clock, SeededRandomness(7))(ONE.id)
        assert (await first).reachable
        assert (await ask(ONE.id)).reachable

    run_virtual(scenario())


def test_what_can_not_be_checked_is_told() -> None:
    async def scenario() -> None:
        fleet = Fleet([ONE, member("off")])
        ask = asked_by_hand(fleet)
        with pytest.raises(InstanceNotFound):
            await ask(InstanceId("nope"))

    run_virtual(scenario())


def test_a_disabled_instance_has_no_provider_to_ask() -> None:
    async def scenario() -> None:
        fleet = Fleet([replace(ONE, enabled=False)])
        with pytest.raises(InvalidRequest, match="disabled"):
            await asked_by_hand(fleet)(ONE.id)
        assert fleet.checks_of("a") == []

    run_virtual(scenario())


def test_an_instance_that_leaves_while_its_lock_is_asked_for_is_not_found() -> None:
    async def scenario() -> None:
        fleet = Fleet([ONE])
        lock = ReloadingLock(fleet.lock)
        lock.fleet = fleet
        with pytest.raises(InstanceNotFound):
            await CheckInstance(fleet.source, check_of(fleet), lock, fleet.clock, SeededRandomness())(ONE.id)

    run_virtual(scenario())
