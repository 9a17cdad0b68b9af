"""Small stand-ins for ports. Fakes work, stubs answer, spies record."""

import random
from collections.abc import Mapping

from application.ports.event_sink import EventSink
from application.ports.price_source import PriceSource
from application.ports.provider import Provider, ProviderDirectory
from application.ports.randomness import Randomness
from domain.catalog import Instance
from domain.events import CircuitChanged, Event
from domain.identifiers import InstanceId
from domain.price_book import Priced, PriceLayer, Unpriced


class SeededRandomness:
    """Chance that repeats: the same seed draws the same numbers."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def draw(self) -> float:
        return self._random.random()

    def bits(self, count: int) -> int:
        return self._random.getrandbits(count)


class SpyEventSink:
    """Keeps what was announced."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    @property
    def circuits(self) -> list[CircuitChanged]:
        """Those of circuits."""
        return [event for event in self.events if isinstance(event, CircuitChanged)]

    def publish(self, event: Event) -> None:
        self.events.append(event)


class InstancePrices:
    """Prices as instances state them; those of none are free."""

    def price_of(self, instance: Instance) -> Priced | Unpriced:
        return Priced(instance.prices, PriceLayer.INSTANCE)


class FakeProviderDirectory:
    """Providers from a mapping."""

    def __init__(self, providers: Mapping[InstanceId, Provider]) -> None:
        self._providers = providers

    def provider_of(self, instance: Instance) -> Provider:
        return self._providers[instance.id]

    def snapshot(self) -> ProviderDirectory:
        return self


_conforms_randomness: type[Randomness] = SeededRandomness
_conforms_events: type[EventSink] = SpyEventSink
_conforms_prices: type[PriceSource] = InstancePrices
_conforms_directory: type[ProviderDirectory] = FakeProviderDirectory
