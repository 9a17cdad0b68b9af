from dataclasses import dataclass

from application.errors import InstanceNotFound
from application.ports.catalog_source import CatalogSource
from application.ports.health_store import HealthStore
from application.ports.instance_control import InstanceControl
from application.use_cases.list_instances import InstanceStatus, statuses
from domain.catalog import Instance
from domain.identifiers import InstanceId
from domain.resilience.circuit_breaker import CircuitState


@dataclass(frozen=True, slots=True)
class DrainInstance:
    """Takes an instance out of rotation, or back in."""

    catalog_source: CatalogSource
    instance_control: InstanceControl
    health: HealthStore

    async def __call__(self, instance_id: InstanceId, drained: bool) -> InstanceStatus:
        """How it does afterwards.

        Raises:
            InstanceNotFound: No instance has this id.
            StateUnavailable: The shared state can't be reached.
        """
        instance = find_instance(self.catalog_source, instance_id)
        await self.instance_control.drain(instance, drained)
        (status,) = await statuses(self.instance_control, self.health, [instance])
        return status


@dataclass(frozen=True, slots=True)
class ForceCircuit:
    """Forces the circuit of an instance open or closed, or lets outcomes decide again."""

    catalog_source: CatalogSource
    instance_control: InstanceControl
    health: HealthStore

    async def __call__(self, instance_id: InstanceId, state: CircuitState | None) -> InstanceStatus:
        """How it does afterwards.

        Raises:
            InstanceNotFound: No instance has this id.
            StateUnavailable: The shared state can't be reached.
            ValueError: HALF_OPEN can't be forced.
        """
        instance = find_instance(self.catalog_source, instance_id)
        await self.instance_control.force(instance, state)
        (status,) = await statuses(self.instance_control, self.health, [instance])
        return status


def find_instance(catalog_source: CatalogSource, instance_id: InstanceId) -> Instance:
    """The instance of the current catalog. Raises InstanceNotFound."""
    catalog, _ = catalog_source.current()
    for instance in catalog.all_instances():
        if instance.id == instance_id:
            return instance
    raise InstanceNotFound("No instance has this id: GET /admin/v1/instances lists those there are.")
