"""What operators list and change, whatever keeps the state; and what they are told where it can't be reached."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from adapters.outbound.memory.catalog_source import MemoryCatalogSource
from adapters.outbound.memory.health_store import MemoryHealthStore
from adapters.outbound.memory.instance_control import MemoryInstanceControl
from adapters.outbound.memory.instance_states import InstanceStates
from adapters.testing.doubles import SpyEventSink
from adapters.testing.routing.harness import A, B
from adapters.testing.virtual_time import ManualClock
from application.errors import InstanceNotFound, StateUnavailable
from application.ports.instance_control import InstanceControl
from application.use_cases.control_instances import DrainInstance, ForceCircuit
from application.use_cases.list_instances import ListInstances
from domain.catalog import Catalog, Instance, RouterPolicy
from domain.identifiers import InstanceId, ModelName
from domain.resilience.circuit_breaker import CircuitState
from domain.routing.instance_report import InstanceReport

OFF = replace(B, enabled=False)
CATALOG = MemoryCatalogSource(Catalog({ModelName("m"): (A, OFF)}), RouterPolicy())
HEALTH = MemoryHealthStore(ManualClock())


class AbsentControl:
    """State that can't be reached."""

    async def inspect(self, instances: Sequence[Instance]) -> list[InstanceReport]:
        raise StateUnavailable(f"away: {len(instances)} instances")

    async def drain(self, instance: Instance, drained: bool) -> None:
        raise StateUnavailable(f"away: {instance.id} {drained}")

    async def force(self, instance: Instance, state: CircuitState | None) -> None:
        raise StateUnavailable(f"away: {instance.id} {state}")

    async def half_open(self, instance: Instance) -> None:
        raise StateUnavailable(f"away: {instance.id}")


def control() -> InstanceControl:
    return MemoryInstanceControl(InstanceStates(), ManualClock(), SpyEventSink())


async def test_every_instance_of_the_configuration_is_listed_disabled_ones_too() -> None:
    shared = control()
    await shared.drain(OFF, drained=True)

    listed = await ListInstances(CATALOG, shared, HEALTH)()

    assert [(status.instance.id, status.report.drained) for status in listed] == [(A.id, False), (OFF.id, True)]


async def test_change_answers_with_the_instance_as_it_stands_afterwards() -> None:
    shared = control()
    drained = await DrainInstance(CATALOG, shared, HEALTH)(OFF.id, drained=True)
    forced = await ForceCircuit(CATALOG, shared, HEALTH)(OFF.id, CircuitState.OPEN)

    assert (drained.instance, drained.report.drained, drained.report.circuit.forced) == (OFF, True, None)
    assert (forced.report.drained, forced.report.circuit.forced) == (True, CircuitState.OPEN)


@pytest.mark.parametrize(
    "change",
    [
        lambda unknown: DrainInstance(CATALOG, AbsentControl(), HEALTH)(unknown, True),
        lambda unknown: ForceCircuit(CATALOG, AbsentControl(), HEALTH)(unknown, None),
    ],
)
async def test_unknown_instance_is_told_without_asking_the_state(
    change: Callable[[InstanceId], Awaitable[object]],
) -> None:
    with pytest.raises(InstanceNotFound):
        await change(InstanceId("nope"))


@pytest.mark.parametrize(
    "ask",
    [
        ListInstances(CATALOG, AbsentControl(), HEALTH),
        lambda: DrainInstance(CATALOG, AbsentControl(), HEALTH)(A.id, True),
        lambda: ForceCircuit(CATALOG, AbsentControl(), HEALTH)(A.id, CircuitState.OPEN),
    ],
)
async def test_state_that_can_not_be_reached_is_told(ask: Callable[[], Awaitable[object]]) -> None:
    with pytest.raises(StateUnavailable, match="away"):
        await ask()
