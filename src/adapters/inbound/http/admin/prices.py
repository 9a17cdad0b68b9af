"""Prices."""

from dataclasses import dataclass

from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import Listing, NoFields, PageQuery, Schema
from adapters.inbound.http.admin.wire import PriceIn, PriceOut, TimeIn, TimeOut
from application.errors import InvalidRequest
from application.use_cases.admin.prices import AllPrices, InstancePrice
from domain.price_book import Priced, PriceLayer
from domain.price_override import PriceOverride
from domain.pricing import Prices
from domain.principal import Permission
from domain.stored import id_of


class PriceShown(Schema):
    """What an instance costs per token and per unit of other work at present. All null: nobody has a price for it.

    `source` says who has: the instance's own configuration, the API, the configured file, or the list that ships.
    """

    instance: str
    model_name: str
    provider: str
    model: str
    input_cost_per_token: PriceOut | None
    output_cost_per_token: PriceOut | None
    cached_input_cost_per_token: PriceOut | None
    cost_per_unit: PriceOut | None
    source: PriceLayer | None
    dated: str | None


class PriceList(Listing[PriceShown]):
    """Prices in force, by instance."""


class OverrideIn(Schema):
    """What a provider's model costs from a moment on; from now, where none is said.

    Per token, where both prices of tokens are needed, or per unit of other work (a second of sound, a picture), or
    both.
    """

    provider: str
    model: str
    input_cost_per_token: PriceIn | None = None
    output_cost_per_token: PriceIn | None = None
    cached_input_cost_per_token: PriceIn | None = None
    cost_per_unit: PriceIn | None = None
    effective_at: TimeIn | None = None


class OverrideShown(Schema):
    """A price that was set here."""

    id: str
    provider: str
    model: str
    input_cost_per_token: PriceOut
    output_cost_per_token: PriceOut
    cached_input_cost_per_token: PriceOut | None
    cost_per_unit: PriceOut
    effective_at: TimeOut


class OverrideList(Listing[OverrideShown]):
    """Prices that were set here: in force, over, or to come."""


class OverrideQuery(PageQuery):
    """Which of them."""

    provider: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class _Handlers:
    prices: AllPrices

    async def every(self, asked: Asked[NoFields, PageQuery]) -> PriceList:
        page = self.prices.effective(asked.query.limit, asked.query.after)
        return PriceList(data=[_price(found) for found in page.items], next=page.next)

    async def overrides(self, asked: Asked[NoFields, OverrideQuery]) -> OverrideList:
        query = asked.query
        page = await self.prices.overrides(query.limit, query.after, query.provider, query.model)
        return OverrideList(data=[_override(found) for found in page.items], next=page.next)

    async def create(self, asked: Asked[OverrideIn, NoFields]) -> OverrideShown:
        body = asked.body
        return _override(
            await self.prices.set(asked.principal, body.provider, body.model, _prices(body), body.effective_at)
        )

    async def delete(self, asked: Asked[NoFields, NoFields]) -> None:
        await self.prices.delete(asked.principal, asked.path["override_id"])


def price_routes(prices: AllPrices) -> tuple[AnyRoute, ...]:
    """`/prices` and `/prices/overrides`."""
    h = _Handlers(prices)
    see_all, change_all = Permission.SEE_GATEWAY, Permission.CHANGE_GATEWAY
    return (
        Route(Method.GET, "/prices", see_all, "Prices in force, by instance", h.every, PriceList, query=PageQuery),
        Route(
            Method.GET,
            "/prices/overrides",
            see_all,
            "Prices that were set here",
            h.overrides,
            OverrideList,
            query=OverrideQuery,
        ),
        Route(
            Method.POST,
            "/prices/overrides",
            change_all,
            "Set a price from a moment on",
            h.create,
            OverrideShown,
            request=OverrideIn,
            status=201,
        ),
        Route(
            Method.DELETE,
            "/prices/overrides/{override_id:path}",
            change_all,
            "Remove a price that was set here",
            h.delete,
            None,
            status=204,
        ),
    )


def _prices(body: OverrideIn) -> Prices:
    of_tokens = {name: getattr(body, name) for name in ("input_cost_per_token", "output_cost_per_token")}
    of_tokens_alone = body.cost_per_unit is None or body.cached_input_cost_per_token is not None
    if of_tokens_alone or any(price is not None for price in of_tokens.values()):
        for name, price in of_tokens.items():
            if price is None:
                raise InvalidRequest(f"{name}: expected both prices of tokens, or cost_per_unit alone.", param=name)
    return Prices(
        body.input_cost_per_token or 0,
        body.output_cost_per_token or 0,
        body.cached_input_cost_per_token,
        body.cost_per_unit or 0,
    )


def _price(found: InstancePrice) -> PriceShown:
    instance, price = found.instance, found.price
    priced = price if isinstance(price, Priced) else None
    cost = None if priced is None else priced.prices
    return PriceShown(
        instance=instance.id,
        model_name=instance.model_name,
        provider=instance.provider,
        model=instance.upstream_model,
        input_cost_per_token=None if cost is None else cost.input,
        output_cost_per_token=None if cost is None else cost.output,
        cached_input_cost_per_token=None if cost is None else cost.cached_input,
        cost_per_unit=None if cost is None else cost.unit,
        source=None if priced is None else priced.layer,
        dated=None if priced is None else priced.dated or None,
    )


def _override(found: PriceOverride) -> OverrideShown:
    return OverrideShown(
        id=id_of(found),
        provider=found.provider,
        model=found.model,
        input_cost_per_token=found.prices.input,
        output_cost_per_token=found.prices.output,
        cached_input_cost_per_token=found.prices.cached_input,
        cost_per_unit=found.prices.unit,
        effective_at=found.effective_at_us,
    )
