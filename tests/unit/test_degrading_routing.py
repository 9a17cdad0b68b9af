from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from adapters.outbound.memory.instance_control import MemoryInstanceControl
from adapters.outbound.memory.instance_states import InstanceStates
from adapters.outbound.memory.routing import MemoryRouting
from adapters.testing.doubles import SpyEventSink
from adapters.testing.routing.harness import CONFIG, LEASE_US, WHOLE, RoutingHarness, instance, ordered, weighted
from adapters.testing.virtual_time import ManualClock
from application.degrading.degrading_routing import DegradingRouting
from application.degrading.store_failure import FORGET_AFTER_US
from application.errors import StateUnavailable
from domain.catalog import Instance
from domain.durations import MINUTE_US, SECOND_US
from domain.identifiers import LeaseId
from domain.resilience.circuit_breaker import CircuitState
from domain.resilience.outcome import Outcome
from domain.routing.admission import AdmissionRequest, Admitted, NotAdmitted
from domain.routing.decision import Exclusion
from domain.routing.report import AttemptReport
from domain.routing.strategy import Leaf


class SharedRouting(MemoryRouting):
    """Works, and can be away; keeps what it was asked."""

    away = False

    def __init__(self, clock: ManualClock, events: SpyEventSink, states: InstanceStates) -> None:
        super().__init__(CONFIG, clock, events, states)
        self.reports: list[AttemptReport] = []
        self.renewed: list[LeaseId] = []
        self.withdrawn: list[LeaseId] = []

    async def admit(self, request: AdmissionRequest) -> Admitted | NotAdmitted:
        if self.away:
            raise StateUnavailable("away")
        return await super().admit(request)

    async def renew(self, leases: Mapping[LeaseId, Instance], lease_us: int) -> None:
        if self.away:
            raise StateUnavailable("away")
        self.renewed += leases
        await super().renew(leases, lease_us)

    def withdraw(self, request: AdmissionRequest) -> None:
        self.withdrawn.append(request.lease_id)
        super().withdraw(request)

    def report(self, report: AttemptReport) -> None:
        self.reports.append(report)
        super().report(report)


@dataclass
class StubRegistry:
    gateways: int | None = 1

    async def announce(self) -> None: ...

    async def leave(self) -> None: ...

    def count(self) -> int | None:
        return self.gateways


@dataclass
class World:
    clock: ManualClock = field(default_factory=ManualClock)
    events: SpyEventSink = field(default_factory=SpyEventSink)
    registry: StubRegistry = field(default_factory=StubRegistry)

    def __post_init__(self) -> None:
        states = InstanceStates()
        self.shared = SharedRouting(self.clock, self.events, states)
        self.control = MemoryInstanceControl(states, self.clock, self.events)
        self.routing = DegradingRouting(
            self.shared, lambda: MemoryRouting(CONFIG, self.clock, self.events), self.registry, self.clock
        )
        self.harness = RoutingHarness(self.routing, self.clock, self.events)


@pytest.fixture
def world() -> World:
    return World()


async def test_while_the_store_is_up_nothing_is_degraded(world: World) -> None:
    held = await world.harness.take(Leaf(instance("a")))

    assert not held.admitted.degraded
    assert not world.routing.degraded


async def test_while_the_store_is_away_attempts_are_admitted_locally_and_say_so(world: World) -> None:
    world.shared.away = True
    limited = instance("a", rpm=1)

    held = await world.harness.take(Leaf(limited))
    refused = await world.harness.refused(Leaf(limited))

    assert held.admitted.degraded
    assert held.admitted.instance is limited
    assert refused.degraded
    assert world.routing.degraded


async def test_a_store_that_was_never_met_leaves_nothing_to_share_out(world: World) -> None:
    world.shared.away = True
    world.registry.gateways = None

    with pytest.raises(StateUnavailable):
        await world.harness.admit(Leaf(instance("a")))

    assert not world.routing.degraded


@pytest.mark.parametrize(("limit", "gateways", "admitted"), [(10, 4, 3), (8, 4, 2), (1, 50, 1), (6, 1, 6)])
async def test_each_gateway_enforces_its_share_of_rpm(world: World, limit: int, gateways: int, admitted: int) -> None:
    world.shared.away = True
    world.registry.gateways = gateways
    limited = instance("a", rpm=limit)
    for _ in range(admitted):
        (await world.harness.take(ordered(limited))).end()

    refused = await world.harness.refused(ordered(limited))

    assert [refusal.reason for refusal in refused.refusals] == [Exclusion.RPM_LIMIT]


async def test_each_gateway_enforces_its_share_of_max_parallel(world: World) -> None:
    world.shared.away = True
    world.registry.gateways = 2
    limited = instance("a", max_parallel=3)
    for _ in range(2):
        await world.harness.take(weighted((limited, 1_000)))

    refused = await world.harness.refused(weighted((limited, 1_000)))

    assert [refusal.reason for refusal in refused.refusals] == [Exclusion.MAX_PARALLEL]


async def test_each_gateway_enforces_its_share_of_tpm(world: World) -> None:
    world.shared.away = True
    world.registry.gateways = 4
    limited = instance("a", tpm=100)
    await world.harness.take(Leaf(limited), tokens=20)

    await world.harness.take(Leaf(limited), tokens=5)

    await world.harness.refused(Leaf(limited), tokens=1)


async def test_a_request_larger_than_the_share_goes_where_nothing_else_went(world: World) -> None:
    world.shared.away = True
    world.registry.gateways = 4
    limited = instance("a", tpm=100)
    await world.harness.take(Leaf(limited), tokens=100)
    after_it = await world.harness.refused(Leaf(limited), tokens=1)
    never = (await world.harness.refused(Leaf(limited), tokens=101)).refusals[0]
    world.clock.advance(MINUTE_US + SECOND_US)
    await world.harness.take(Leaf(limited), tokens=1)

    after_another = await world.harness.refused(Leaf(limited), tokens=100)

    assert (after_it.refusals[0].reason, after_another.refusals[0].reason) == (Exclusion.TPM_LIMIT,) * 2
    assert never.retry_after_us is None


@pytest.mark.parametrize("forced", [False, True], ids=["drained", "forced open"])
async def test_what_an_operator_took_out_stays_out_while_the_store_is_away(world: World, forced: bool) -> None:
    out, other = instance("out"), instance("other")
    if forced:
        await world.control.force(out, CircuitState.OPEN)
    else:
        await world.control.drain(out, drained=True)
    world.shared.away = True

    held = await world.harness.take(weighted((out, 5_000), (other, 1)))
    alone = await world.harness.refused(ordered(out))

    assert held.admitted.instance.id == "other"
    assert [refusal.instance_id for refusal in held.admitted.refusals] == ["out"]
    why = Exclusion.CIRCUIT_OPEN if forced else Exclusion.DRAINED
    assert ([refusal.reason for refusal in alone.refusals], alone.degraded) == ([why], True)


async def test_the_share_follows_the_number_of_gateways_and_the_configuration(world: World) -> None:
    world.shared.away = True
    world.registry.gateways = 10
    await world.harness.take(Leaf(instance("a", rpm=10)))
    await world.harness.refused(Leaf(instance("a", rpm=10)))
    world.registry.gateways = 5
    limited = instance("a", rpm=10)
    await world.harness.take(Leaf(limited))
    await world.harness.refused(Leaf(limited))

    await world.harness.take(Leaf(instance("a", rpm=15)))


async def test_reports_go_to_whoever_admitted_the_attempt(world: World) -> None:
    member = instance("a")
    shared = await world.harness.take(Leaf(member))
    world.shared.away = True
    local = await world.harness.take(Leaf(member))
    world.shared.away = False
    await world.harness.take(Leaf(member))

    local.end(Outcome.FAILURE)
    shared.end()

    assert [report.lease_id for report in world.shared.reports] == [shared.lease_id]


async def test_withdrawals_go_to_whoever_admitted_the_attempt(world: World) -> None:
    limited = instance("a", max_parallel=1)
    shared = await world.harness.take(Leaf(limited))
    world.shared.away = True
    local = await world.harness.take(Leaf(limited))
    world.shared.away = False

    local.withdraw()
    shared.withdraw()

    assert world.shared.withdrawn == [shared.lease_id]
    await world.harness.take(Leaf(limited))
    world.shared.away = True
    await world.harness.take(Leaf(limited))


async def test_a_withdrawn_attempt_that_is_admitted_again_asks_whoever_decides_then(world: World) -> None:
    limited = instance("a", rpm=1)
    world.shared.away = True
    (await world.harness.take(Leaf(limited), lease="same")).withdraw()
    world.shared.away = False

    again = await world.harness.take(Leaf(limited), lease="same")

    assert not again.admitted.degraded


async def test_renewals_go_to_whoever_admitted_and_never_fail(world: World) -> None:
    member = instance("a", max_parallel=1)
    shared = await world.harness.take(Leaf(member))
    world.shared.away = True
    local = await world.harness.take(Leaf(member))
    held = {shared.lease_id: member, local.lease_id: member}
    world.clock.advance(LEASE_US - 1)
    await world.routing.renew(held, LEASE_US)
    world.clock.advance(1)

    await world.harness.refused(Leaf(member))

    assert world.shared.renewed == []
    world.shared.away = False
    await world.routing.renew(held, LEASE_US)
    assert world.shared.renewed == [shared.lease_id]


async def test_an_attempt_that_is_admitted_again_stays_where_it_was(world: World) -> None:
    limited = instance("a", rpm=1)
    world.shared.away = True
    first = await world.harness.take(Leaf(limited), lease="same")
    world.shared.away = False

    again = await world.harness.take(Leaf(limited), lease="same")

    assert again.admitted == first.admitted
    assert world.shared.view(limited, WHOLE).requests_used == 0


async def test_the_local_routing_learns_by_itself_and_is_seen_while_it_decides(world: World) -> None:
    member = instance("a")
    world.shared.away = True
    await world.harness.fail(member, CONFIG.consecutive_failures)

    while_away = await world.harness.circuit(member)
    world.shared.away = False
    await world.harness.take(Leaf(member))

    assert while_away is CircuitState.OPEN
    assert await world.harness.circuit(member) is CircuitState.CLOSED


async def test_nothing_local_is_merged_into_the_shared_state(world: World) -> None:
    limited = instance("a", rpm=100, tpm=1_000)
    world.shared.away = True
    for _ in range(5):
        (await world.harness.take(Leaf(limited), tokens=10)).end()
    world.shared.away = False

    (await world.harness.take(Leaf(limited), tokens=10)).end()

    view = world.shared.view(limited, WHOLE)
    assert (view.requests_used, view.tokens_used) == (1, 10)


async def test_a_store_that_fails_every_other_time_opens_no_new_window_each_time(world: World) -> None:
    limited = instance("a", rpm=3)
    admitted = 0
    for _ in range(20):
        world.shared.away = True
        admitted += isinstance(await world.harness.admit(Leaf(limited)), Admitted)
        world.shared.away = False
        await world.harness.admit(Leaf(instance("b")))

    assert admitted == 3


async def test_the_next_outage_begins_without_the_experience_of_the_last(world: World) -> None:
    member = instance("a")
    world.shared.away = True
    await world.harness.fail(member, CONFIG.consecutive_failures)
    world.shared.away = False
    await world.harness.take(Leaf(member))
    world.clock.advance(FORGET_AFTER_US + 1)
    world.shared.away = True

    await world.harness.take(Leaf(member))

    assert await world.harness.circuit(member) is CircuitState.CLOSED


async def test_an_outage_longer_than_a_minute_forgets_nothing_on_the_way(world: World) -> None:
    limited = instance("a", rpm=1)
    world.shared.away = True
    await world.harness.take(Leaf(instance("b")))
    world.clock.advance(FORGET_AFTER_US + SECOND_US)
    await world.harness.take(Leaf(limited))

    await world.harness.refused(Leaf(limited))


async def test_a_bug_in_the_shared_routing_is_not_hidden(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: AdmissionRequest) -> Admitted:
        raise RuntimeError("a bug")

    monkeypatch.setattr(world.shared, "admit", broken)

    with pytest.raises(RuntimeError, match="a bug"):
        await world.harness.admit(Leaf(instance("a")))


async def test_what_was_reported_or_withdrawn_leaves_nothing_behind(world: World) -> None:
    world.shared.away = True
    for _ in range(100):
        (await world.harness.take(Leaf(instance("a")))).end()
        (await world.harness.take(Leaf(instance("a")))).withdraw()

    assert world.routing._holders == {}
