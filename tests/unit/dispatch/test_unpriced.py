"""`pricing.require`: what nobody has a price for is not asked; and prices of now are what `least-cost` compares."""

import pytest

from adapters.testing.virtual_time import run_virtual
from application.current_prices import CurrentPrices
from application.errors import NoInstanceAvailable, UnpricedModel
from application.ports.clock import Clock
from domain.catalog import Catalog, Instance, RouterPolicy
from domain.chat import Endpoint
from domain.price_book import PriceList, PricePeriod
from domain.pricing import Prices
from domain.routing.strategy import StrategyName
from domain.work import Work
from tests.unit.dispatch.gateway import Gateway, member, models
from tests.unit.pricing.override_store import FakeOverrideStore

LISTED = PriceList(
    "2026-01-01",
    {("custom", "upstream-dear"): (PricePeriod(Prices(9, 9)),), ("custom", "upstream-cheap"): (PricePeriod(Prices()),)},
)


def gateway_of(*instances: Instance, require: bool) -> Gateway:
    def prices(clock: Clock) -> CurrentPrices:
        return CurrentPrices(LISTED, None, FakeOverrideStore(), clock, require=require)

    return Gateway(
        Catalog(models(*instances)), policy=RouterPolicy(strategy=StrategyName.LEAST_COST), make_prices=prices
    )


def test_a_model_without_a_price_is_refused_where_one_is_required() -> None:
    async def main() -> None:
        gateway = gateway_of(member("gpt", "new"), require=True)

        with pytest.raises(UnpricedModel, match="no price is known for 'gpt'"):
            await gateway.complete("gpt")
        assert gateway.calls() == {}

    run_virtual(main())


def test_another_instance_that_has_a_price_serves_instead() -> None:
    async def main() -> None:
        gateway = gateway_of(member("gpt", "new"), member("gpt", "dear"), require=True)

        await gateway.complete("gpt")

        assert gateway.calls() == {"dear": 1}
        assert [(refusal.instance_id, refusal.reason) for refusal in gateway.last_trace().exclusions] == [
            ("new", "unpriced")
        ]

    run_virtual(main())


def test_where_none_is_required_a_model_without_a_price_serves() -> None:
    async def main() -> None:
        gateway = gateway_of(member("gpt", "new"), require=False)

        await gateway.complete("gpt")

        assert gateway.calls() == {"new": 1}

    run_virtual(main())


def test_a_model_whose_instances_are_all_disabled_is_not_called_unpriced() -> None:
    async def main() -> None:
        gateway = gateway_of(member("gpt", "new", enabled=False), require=True)

        with pytest.raises(NoInstanceAvailable):
            await gateway.complete("gpt")

    run_virtual(main())


@pytest.mark.parametrize("per", ["unit", "output"])
def test_least_cost_compares_what_is_no_text_by_its_units_and_tokens(per: str) -> None:
    async def main() -> None:
        own = {name: Prices(**{per: price}) for name, price in (("dear", 9_000_000), ("cheap", 2_000_000))}
        gateway = gateway_of(*(member("gpt", name, own_prices=prices) for name, prices in own.items()), require=False)

        for _ in range(5):
            await gateway.complete("gpt", endpoint=Endpoint.IMAGES, work=Work(3, 3, 1_000, 9_000))

        assert gateway.calls() == {"cheap": 5}

    run_virtual(main())


def test_least_cost_compares_listed_prices() -> None:
    async def main() -> None:
        gateway = gateway_of(member("gpt", "dear"), member("gpt", "cheap"), require=False)

        for _ in range(5):
            await gateway.complete("gpt")

        assert gateway.calls() == {"cheap": 5}

    run_virtual(main())
