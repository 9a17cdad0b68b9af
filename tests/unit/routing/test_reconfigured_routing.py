"""What routing in memory keeps of instances when the configuration changes, and what it forgets."""

from dataclasses import replace

from adapters.outbound.memory.instance_states import InstanceStates
from adapters.outbound.memory.routing import MemoryRouting
from adapters.testing.doubles import SpyEventSink
from adapters.testing.virtual_time import ManualClock
from domain.catalog import Catalog, Instance
from domain.durations import SECOND_US
from domain.identifiers import InstanceId, LeaseId, ModelName
from domain.latency import LatencyKind
from domain.resilience.circuit import CircuitState
from domain.resilience.circuit_breaker_config import CircuitBreakerConfig
from domain.resilience.outcome import Outcome
from domain.routing.admission import AdmissionRequest, Admitted
from domain.routing.report import AttemptReport
from domain.routing.strategy import Leaf

CONFIG = CircuitBreakerConfig(consecutive_failures=3)
A, B = (Instance(InstanceId(name), ModelName("m"), "custom", "u") for name in "ab")


class World:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.states = InstanceStates()
        self.routing = MemoryRouting(CONFIG, self.clock, SpyEventSink(), self.states)
        self._leases = 0

    async def begin(self, instance: Instance) -> tuple[AdmissionRequest, Admitted]:
        self._leases += 1
        request = AdmissionRequest(LeaseId(f"l{self._leases}"), Leaf(instance), 1, 30 * SECOND_US)
        admitted = await self.routing.admit(request)
        assert isinstance(admitted, Admitted)
        return request, admitted

    def end(self, begun: tuple[AdmissionRequest, Admitted], outcome: Outcome = Outcome.SUCCESS) -> None:
        request, admitted = begun
        self.routing.report(
            AttemptReport(
                lease_id=request.lease_id,
                instance=admitted.instance,
                generation=admitted.generation,
                probe=admitted.probe,
                bucket_s=admitted.bucket_s,
                outcome=outcome,
                latency_kind=LatencyKind.WHOLE,
                latency_us=1_000,
                slow=False,
                tokens_reserved=1,
                tokens_actual=1,
                jitter=0.5,
                cooldown=None,
            )
        )

    def reconfigure(self, *instances: Instance, config: CircuitBreakerConfig = CONFIG) -> None:
        self.routing.reconfigure(config, Catalog({ModelName("m"): instances}))


async def test_instance_that_has_left_and_is_idle_is_forgotten_at_once() -> None:
    world = World()
    for instance in (A, B):
        world.end(await world.begin(instance))

    world.reconfigure(A)

    assert len(world.states) == 1


async def test_instance_that_has_left_is_forgotten_when_its_last_request_is_done() -> None:
    world = World()
    first, second = await world.begin(B), await world.begin(B)

    world.reconfigure(A)
    assert len(world.states) == 1
    world.end(first)
    assert len(world.states) == 1
    assert world.routing.view(B, LatencyKind.WHOLE).in_flight == 1
    world.routing.withdraw(second[0])

    assert len(world.states) == 0


async def test_instance_that_a_late_request_of_the_former_configuration_meets_is_forgotten_again() -> None:
    world = World()
    world.reconfigure(A)

    world.end(await world.begin(B))

    assert len(world.states) == 0


async def test_instance_that_stays_keeps_circuit_leases_and_latency() -> None:
    world = World()
    running = await world.begin(A)
    for _ in range(3):
        world.end(await world.begin(A), Outcome.FAILURE)
    before = world.routing.view(A, LatencyKind.WHOLE)

    world.reconfigure(replace(A, weight_milli=7_000), B)

    assert before.circuit is CircuitState.OPEN
    assert world.routing.view(A, LatencyKind.WHOLE) == before
    world.end(running)
    assert world.routing.view(A, LatencyKind.WHOLE).in_flight == 0


async def test_circuits_go_by_the_new_rules_from_the_next_report_on() -> None:
    world = World()
    world.end(await world.begin(A), Outcome.FAILURE)

    world.reconfigure(A, config=replace(CONFIG, consecutive_failures=2))
    world.end(await world.begin(A), Outcome.FAILURE)

    assert world.routing.view(A, LatencyKind.WHOLE).circuit is CircuitState.OPEN
