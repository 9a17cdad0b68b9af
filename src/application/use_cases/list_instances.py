import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from application.ports.catalog_source import CatalogSource
from application.ports.health_store import HealthStore
from application.ports.instance_control import InstanceControl
from domain.catalog import Instance
from domain.health import health_score
from domain.health_report import HealthReport
from domain.latency import LatencyKind, Percentiles
from domain.routing.instance_report import InstanceReport

NOTHING_MEASURED = Percentiles(None, None, None, 0)


@dataclass(frozen=True, slots=True)
class InstanceStatus:
    """An instance of the configuration and how it does. `check` is its last one; None where none can be believed."""

    instance: Instance
    report: InstanceReport
    check: HealthReport | None = None

    @property
    def measured(self) -> LatencyKind | None:
        """What `latency` is of: whole replies, or first contents where only streams ran; None where nothing did."""
        return next((kind for kind in LatencyKind if kind in self.report.latency), None)

    @property
    def latency(self) -> Percentiles:
        """Of the last five minutes. The two kinds are never mixed."""
        return NOTHING_MEASURED if self.measured is None else self.report.latency[self.measured]

    @property
    def health_score(self) -> int:
        """0 to 100, for people."""
        return health_score(self.latency.p95_us)


@dataclass(frozen=True, slots=True)
class ListInstances:
    """Shows operators every instance."""

    catalog_source: CatalogSource
    instance_control: InstanceControl
    health: HealthStore

    async def __call__(self) -> Sequence[InstanceStatus]:
        """Every instance of the configuration, in its order, disabled ones too.

        Raises:
            StateUnavailable: The shared state can't be reached.
        """
        catalog, _ = self.catalog_source.current()
        return await statuses(self.instance_control, self.health, list(catalog.all_instances()))


async def statuses(
    instance_control: InstanceControl, health: HealthStore, instances: Sequence[Instance]
) -> list[InstanceStatus]:
    """How each of them does. Raises StateUnavailable."""
    last_checks = asyncio.gather(*(health.of_instance(instance.id) for instance in instances))
    reports, checks = await asyncio.gather(instance_control.inspect(instances), last_checks)
    return [InstanceStatus(*each) for each in zip(instances, reports, checks, strict=True)]
