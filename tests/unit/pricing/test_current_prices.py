import asyncio
import logging
from dataclasses import replace

import pytest

from adapters.testing.virtual_time import EPOCH_US, ManualClock, VirtualClock, run_virtual
from application.change_feed import ChangeFeed
from application.current_prices import CurrentPrices
from domain.catalog import Instance
from domain.durations import SECOND_US
from domain.identifiers import InstanceId, ModelName
from domain.price_book import Priced, PriceLayer, PriceList, PricePeriod
from domain.price_override import PriceOverride
from domain.pricing import Prices
from tests.unit.authentication.key_store import FakeKeyStore
from tests.unit.pricing.override_store import FakeOverrideStore, override

GPT = Instance(InstanceId("i"), ModelName("m"), "openai", "gpt")
CUSTOM = Instance(InstanceId("c"), ModelName("m"), "custom", "mine")


def listed(*periods: PricePeriod) -> PriceList:
    return PriceList("2026-01-01", {("openai", "gpt"): periods})


SHIPPED = listed(PricePeriod(Prices(1, 1)))


def current(
    *overrides: PriceOverride,
    shipped: PriceList = SHIPPED,
    file: PriceList | None = None,
    clock: ManualClock | None = None,
    require: bool = False,
) -> tuple[CurrentPrices, FakeOverrideStore]:
    store = FakeOverrideStore(list(overrides))
    made = CurrentPrices(shipped, file, store, clock or ManualClock(), require=require)
    return made, store


def price_of(prices: CurrentPrices, instance: Instance = GPT) -> int:
    return prices.prices(instance).input


async def test_the_strongest_that_has_a_price_decides() -> None:
    file = listed(PricePeriod(Prices(2, 2)))
    assert price_of(current()[0]) == 1

    prices, _ = current(override("gpt", 3), file=file)
    assert price_of(prices) == 2
    await prices.refresh()
    assert prices.price_of(GPT) == Priced(Prices(3, 3), PriceLayer.API, "1970-01-01", "gpt")
    assert prices.price_of(replace(GPT, own_prices=Prices(4))) == Priced(Prices(4), PriceLayer.INSTANCE)


async def test_an_override_that_is_removed_leaves_what_the_lists_say() -> None:
    prices, store = current(override("gpt", 3))
    await prices.refresh()
    store.overrides.clear()

    prices.changed("price:openai/gpt")
    await prices.refresh()

    assert price_of(prices) == 1


async def test_overrides_on_several_pages_are_all_read() -> None:
    prices, store = current(*(override(f"other-{number}", 9) for number in range(5)), override("gpt", 3))
    store.page_size = 2

    await prices.refresh()

    assert (price_of(prices), store.reads) == (3, 3)


async def test_overrides_are_read_again_only_after_a_change_of_one() -> None:
    prices, store = current()
    await prices.refresh()
    prices.changed("key:K")
    await prices.refresh()
    assert store.reads == 1

    prices.lost_track()
    await prices.refresh()
    assert store.reads == 2


async def test_a_change_that_is_told_while_overrides_are_read_is_not_missed() -> None:
    prices, store = current(override("gpt", 3))

    def change_once() -> None:
        store.while_reading = None
        store.overrides[0] = override("gpt", 5)
        prices.changed("price:openai/gpt")

    store.while_reading = change_once
    await prices.refresh()
    assert price_of(prices) == 3

    await prices.refresh()
    assert price_of(prices) == 5


async def test_a_store_that_is_away_leaves_the_overrides_that_were_read() -> None:
    prices, store = current(override("gpt", 3))
    await prices.refresh()
    store.overrides[0] = override("gpt", 5)
    store.away = True
    prices.changed("price:openai/gpt")

    await prices.refresh()
    assert price_of(prices) == 3

    store.away = False
    await prices.refresh()
    assert price_of(prices) == 5


def test_audit_5_2_a_price_that_is_changed_counts_in_all_gateways_within_five_seconds() -> None:
    async def main() -> None:
        clock, log = VirtualClock(), FakeKeyStore()
        store = FakeOverrideStore()
        gateways = [CurrentPrices(SHIPPED, None, store, clock) for _ in range(3)]
        feeds = [ChangeFeed(log, clock, [prices]) for prices in gateways]
        running = [
            asyncio.ensure_future(run()) for run in [work.run for work in gateways] + [feed.run for feed in feeds]
        ]
        await clock.sleep(10 * SECOND_US)
        assert [price_of(prices) for prices in gateways] == [1, 1, 1]

        reads = store.reads
        store.overrides.append(override("gpt", 7))
        log.note("price:openai/gpt")
        await clock.sleep(5 * SECOND_US)

        assert [price_of(prices) for prices in gateways] == [7, 7, 7]
        assert store.reads == reads + 3
        for task in running:
            task.cancel()

    run_virtual(main())


@pytest.mark.parametrize("layer", ["shipped", "file", "api"])
async def test_a_price_comes_into_force_at_its_instant_and_leaves_when_the_clock_goes_back(layer: str) -> None:
    clock = ManualClock()
    dated = listed(PricePeriod(Prices(1, 1)), PricePeriod(Prices(8, 8), EPOCH_US + 5))
    made = {
        "shipped": lambda: current(shipped=dated, clock=clock),
        "file": lambda: current(file=dated, clock=clock),
        "api": lambda: current(override("gpt", 8, EPOCH_US + 5), clock=clock),
    }
    prices, _ = made[layer]()
    await prices.refresh()

    found = []
    for step_us in (0, 4, 1, 1_000, -1_003):
        clock.advance(step_us)
        found.append(price_of(prices))

    assert found == [1, 1, 8, 8, 1]


async def test_an_instance_that_was_configured_anew_has_its_new_prices() -> None:
    prices, _ = current()
    assert price_of(prices) == 1

    assert price_of(prices, replace(GPT, own_prices=Prices(9))) == 9


async def test_own_prices_of_nothing_are_no_lack_of_a_price() -> None:
    prices, _ = current(require=True)

    free = replace(CUSTOM, own_prices=Prices())
    assert (prices.refuses(free), prices.refuses(CUSTOM), prices.refuses(GPT)) == (False, True, False)


async def test_a_model_without_a_price_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    prices, _ = current()

    with caplog.at_level(logging.WARNING):
        for instance in (CUSTOM, replace(CUSTOM, id=InstanceId("twin")), GPT, CUSTOM):
            prices.price_of(instance)
        prices.lost_track()
        await prices.refresh()
        prices.price_of(CUSTOM)

    assert [record.getMessage() for record in caplog.records] == ["no price for custom/mine: its requests cost 0"]
