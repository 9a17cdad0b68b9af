from collections.abc import Mapping
from dataclasses import dataclass

from application.billing.journaling import Journaling
from application.draining import Draining
from application.ports.catalog_source import CatalogSource
from application.store_watch import StoreWatch
from application.usage.deliver_usage import CAPACITY, DeliverUsage

LEDGER_LAGS = CAPACITY // 2
"""So many records on their way are no mere batch."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the gateway can serve, and what each part says: `ok`, or what is missing.

    A store that was lost after the start is missing and yet leaves the gateway ready: see StoreWatch. So do a journal
    that takes nothing and a ledger that lags: another gateway would hardly do better, and requests are still served.
    Open circuits are no part of it at all: what all gateways see alike must not take all of them out, and only
    requests find out that a provider is well again.
    """

    ready: bool
    parts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CheckReadiness:
    """Asks the parts that requests need."""

    catalog_source: CatalogSource
    draining: Draining
    stores: StoreWatch
    journaling: Journaling | None = None
    deliver: DeliverUsage | None = None

    def __call__(self) -> Readiness:
        """The answer of this moment; no I/O: stores are asked in the background."""
        catalog, _ = self.catalog_source.current()
        usable = any(instance.enabled for instance in catalog.all_instances())
        parts = {
            "models": "ok" if usable else "no instance is enabled",
            "server": "draining" if self.draining.begun else "ok",
        }
        ready = all(said == "ok" for said in parts.values()) and not self.stores.never_met()
        return Readiness(ready, {**parts, **self.stores.said(), **self._usage()})

    def _usage(self) -> dict[str, str]:
        """What is wrong on the way of usage to the ledger; nothing where all is well."""
        said: dict[str, str] = {}
        if self.journaling is not None and self.journaling.waiting:
            said["journal"] = f"takes nothing: {self.journaling.waiting} ends of attempts wait in memory"
        if self.deliver is not None and self.deliver.on_the_way >= LEDGER_LAGS:
            said["ledger"] = f"lags: {self.deliver.on_the_way} usage records or more are on their way to it"
        return said
