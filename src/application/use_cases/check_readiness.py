from collections.abc import Mapping
from dataclasses import dataclass

from application.draining import Draining
from application.ports.catalog_source import CatalogSource


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the gateway can serve, and what each part says: `ok`, or what is missing."""

    ready: bool
    parts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CheckReadiness:
    """Asks the parts that requests need."""

    catalog_source: CatalogSource
    draining: Draining

    def __call__(self) -> Readiness:
        """The answer of this moment; no I/O."""
        catalog, _ = self.catalog_source.current()
        usable = any(instance.enabled for instance in catalog.all_instances())
        parts = {
            "models": "ok" if usable else "no instance is enabled",
            "server": "draining" if self.draining.begun else "ok",
        }
        return Readiness(all(said == "ok" for said in parts.values()), parts)
