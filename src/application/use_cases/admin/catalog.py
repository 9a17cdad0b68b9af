from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from application.ports.catalog_source import CatalogSource
from application.use_cases.list_instances import InstanceStatus
from domain.catalog import Instance, Route
from domain.health_report import ModelHealth, summary
from domain.identifiers import ModelName
from domain.latency import LatencyKind
from domain.price_book import Priced, Unpriced
from domain.resilience.circuit_breaker import CircuitState
from domain.routing.strategy import StrategyName


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A model of the configuration, and how its instances do. `prices` are in the order of `instances`."""

    name: ModelName
    aliases: Sequence[str]
    fallbacks: Sequence[ModelName]
    instances: Sequence[InstanceStatus]
    prices: Sequence[Priced | Unpriced]

    @property
    def healthy(self) -> int:
        """How many instances are enabled, not drained, and have a closed circuit."""
        return sum(
            one.instance.enabled and not one.report.drained and one.report.circuit.state is CircuitState.CLOSED
            for one in self.instances
        )

    @property
    def checks(self) -> ModelHealth:
        """What the last checks of the instances that are enabled say; those without one are not among them."""
        return summary(one.check for one in self.instances if one.instance.enabled and one.check is not None)

    @property
    def unchecked(self) -> int:
        """How many enabled instances have no check that can be believed."""
        return sum(one.instance.enabled and one.check is None for one in self.instances)

    @property
    def average_latency_us(self) -> int | None:
        """The mean of the instances' medians of the last five minutes, each as often as it was measured.

        Of whole replies; of first contents where only streams ran. None where nothing did.
        """
        for kind in LatencyKind:
            found = [one.report.latency[kind] for one in self.instances if kind in one.report.latency]
            count = sum(each.count for each in found)
            if count:
                return sum((each.p50_us or 0) * each.count for each in found) // count
        return None


@dataclass(frozen=True, slots=True)
class ReadCatalog:
    """What the configuration offers, as operators see it. `price_of` is how requests are billed."""

    catalog_source: CatalogSource
    list_instances: Callable[[], Awaitable[Sequence[InstanceStatus]]]
    price_of: Callable[[Instance], Priced | Unpriced]

    async def models(self) -> Sequence[ModelStatus]:
        """Every model, in configured order. Raises StateUnavailable."""
        statuses = await self.list_instances()
        catalog, _ = self.catalog_source.current()
        return [
            ModelStatus(
                name,
                [alias for alias, model in catalog.aliases.items() if model == name],
                catalog.fallbacks.get(name, ()),
                [status for status in statuses if status.instance.model_name == name],
                [self.price_of(status.instance) for status in statuses if status.instance.model_name == name],
            )
            for name in catalog.instances
        ]

    def routes(self) -> Sequence[Route]:
        """Every route, in configured order, disabled ones too."""
        return tuple(self.catalog_source.current()[0].routes.values())

    @property
    def strategy(self) -> StrategyName:
        """By which instances of a model are chosen."""
        return self.catalog_source.current()[1].strategy
