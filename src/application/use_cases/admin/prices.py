from collections.abc import Callable
from dataclasses import dataclass, replace

from application.administration.administering import apply, missing, page
from application.administration.patching import legal, patched
from application.ports.admin_store import AdminStore
from application.ports.catalog_source import CatalogSource
from application.ports.clock import Clock
from domain.audit import Change
from domain.catalog import Instance
from domain.pages import Page
from domain.price_book import Priced, Unpriced
from domain.price_override import PriceOverride
from domain.pricing import Prices
from domain.principal import Principal

_FIELDS = (
    *((name, f"{name}_cost_per_token") for name in ("input", "output", "cached_input")),
    ("unit", "cost_per_unit"),
)
_BLANK = PriceOverride("-", "-", 0, Prices())


@dataclass(frozen=True, slots=True)
class InstancePrice:
    """What an instance costs at present, and who says so."""

    instance: Instance
    price: Priced | Unpriced


@dataclass(frozen=True, slots=True)
class AllPrices:
    """Prices in force, and those that administrators have set. `price_of` is how requests are billed."""

    store: AdminStore
    catalog_source: CatalogSource
    price_of: Callable[[Instance], Priced | Unpriced]
    clock: Clock

    def effective(self, limit: int, after: str | None) -> Page[InstancePrice]:
        """Of every instance of the configuration, in the order of their ids; those after that id."""
        catalog, _ = self.catalog_source.current()
        instances = sorted(catalog.all_instances(), key=lambda instance: instance.id)
        left = [instance for instance in instances if after is None or instance.id > after]
        shown = [InstancePrice(instance, self.price_of(instance)) for instance in left[:limit]]
        return Page(tuple(shown), shown[-1].instance.id if len(left) > limit else None)

    async def overrides(
        self, limit: int, after: str | None, provider: str | None, model: str | None
    ) -> Page[PriceOverride]:
        """What administrators have set, in force, over, or to come."""
        return await page(self.store, PriceOverride, limit, after, {"provider": provider, "model": model})

    async def set(
        self, principal: Principal, provider: str, model: str, prices: Prices, effective_at_us: int | None
    ) -> PriceOverride:
        """The price from then on, or from now. Raises InvalidRequest, AlreadyExists."""
        at_us = self.clock.now_us() if effective_at_us is None else effective_at_us
        override = patched(_BLANK, {"provider": provider, "model": model, "effective_at_us": at_us})
        for name, field in _FIELDS:
            with legal(field):
                override = replace(override, prices=replace(override.prices, **{name: getattr(prices, name)}))
        change = Change("price.create", f"price:{provider}/{model}", None, override)
        await apply(self.store, principal, change, unique="effective_at")
        return override

    async def delete(self, principal: Principal, override_id: str) -> None:
        """What was set before it is in force again. Raises ItemNotFound."""
        before = await self.store.get(PriceOverride, override_id)
        if before is None:
            raise missing("price", override_id)
        change = Change("price.delete", f"price:{before.provider}/{before.model}", before, None)
        await apply(self.store, principal, change)
