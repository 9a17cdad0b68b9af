"""Four gateways that share a Valkey and a Postgres, and two thousand requests that spend money."""

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.money_fleet import MoneyFleet, money_fleet, money_servers
from tests.e2e.money_for_one import OWNERS, check_budget_for_one, check_client_ids, greedy_model
from tests.e2e.money_load import MoneyLoad, plans
from tests.e2e.money_loss import (
    ANSWERED_WITHIN_S,
    MOMENTS,
    PATIENCE_S,
    check_budget_survives,
    check_load_with_a_loss,
    flush,
)
from tests.e2e.money_world import MODELS, check_money, figures, money_keys, money_models, play_behaviours, settled
from tests.e2e.scripted_upstream import ScriptedUpstream

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEED = 4
REQUESTS = 2_000
FEWER = 250


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def money(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MoneyFleet]:
    play_behaviours(upstream)
    with money_servers() as servers:
        folder = tmp_path_factory.mktemp("money")
        models = [*money_models(upstream.base_url), greedy_model(upstream.base_url)]
        async with money_fleet(servers, 4, folder, models) as running:
            yield running


async def test_four_gateways_serve_one_of_fifty_requests_that_a_budget_has_room_for(
    money: MoneyFleet, upstream: ScriptedUpstream
) -> None:
    for owner in OWNERS:
        await check_budget_for_one(money.fleet.gateways, upstream, owner)


async def test_a_client_id_that_is_used_a_hundred_times_makes_a_hundred_rows(
    money: MoneyFleet, upstream: ScriptedUpstream
) -> None:
    await check_client_ids(money, upstream)


async def test_two_thousand_requests_spend_what_budgets_allow_and_all_books_agree(
    money: MoneyFleet, upstream: ScriptedUpstream
) -> None:
    since_s = time.monotonic()
    keys = await money_keys(money.fleet.gateways[0], "all")
    load = MoneyLoad(money.fleet, keys)

    await load.play(plans(SEED, REQUESTS, keys, MODELS, len(money.fleet.gateways)))

    books = await settled(money, upstream, keys, since_s, within_s=20)
    print(figures(load, books, since_s))  # noqa: T201 - what the run is for
    await check_money(money, upstream, load, books, since_s)


async def test_a_budget_that_is_spent_stays_so_when_its_store_loses_everything(
    money: MoneyFleet, upstream: ScriptedUpstream
) -> None:
    for moment in MOMENTS:
        longest_s = await check_budget_survives(money, upstream, flush, name=f"flush-{moment}", moment=moment)
        assert longest_s < ANSWERED_WITHIN_S + PATIENCE_S


async def test_all_books_agree_when_the_store_of_budgets_loses_everything_half_way(
    money: MoneyFleet, upstream: ScriptedUpstream
) -> None:
    await check_load_with_a_loss(money, upstream, flush, name="flushed", seed=SEED, count=FEWER)
