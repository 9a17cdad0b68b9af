from collections.abc import Mapping
from dataclasses import dataclass

from application.draining import Draining
from application.ports.catalog_source import CatalogSource
from application.store_watch import StoreWatch


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the gateway can serve, and what each part says: `ok`, or what is missing.

    A store that was lost after the start is missing and yet leaves the gateway ready: see StoreWatch.
    """

    ready: bool
    parts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CheckReadiness:
    """Asks the parts that requests need."""

    catalog_source: CatalogSource
    draining: Draining
    stores: StoreWatch

    def __call__(self) -> Readiness:
        """The answer of this moment; no I/O: stores are asked in the background."""
        catalog, _ = self.catalog_source.current()
        usable = any(instance.enabled for instance in catalog.all_instances())
        parts = {
            "models": "ok" if usable else "no instance is enabled",
            "server": "draining" if self.draining.begun else "ok",
        }
        ready = all(said == "ok" for said in parts.values()) and not self.stores.never_met()
        return Readiness(ready, {**parts, **self.stores.said()})
