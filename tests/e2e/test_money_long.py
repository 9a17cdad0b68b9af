"""The long forms of what `test_money_fleet` holds: more requests, and a Valkey that is killed. `make test-long`."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.money_fleet import MoneyFleet, money_fleet, money_servers
from tests.e2e.money_loss import MOMENTS, check_budget_survives, check_load_with_a_loss, flush, restart_empty
from tests.e2e.money_world import money_models, play_behaviours
from tests.e2e.scripted_upstream import ScriptedUpstream

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.long]

REQUESTS = 2_000
SEEDS = range(5)
STRIKES = {"flushed": flush, "restarted": restart_empty}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def money(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MoneyFleet]:
    play_behaviours(upstream)
    with money_servers() as servers:
        folder = tmp_path_factory.mktemp("money")
        async with money_fleet(servers, 4, folder, money_models(upstream.base_url)) as running:
            yield running


@pytest.mark.parametrize("how", STRIKES)
async def test_two_thousand_requests_spend_what_budgets_allow_when_their_store_loses_everything(
    money: MoneyFleet, upstream: ScriptedUpstream, how: str
) -> None:
    await check_load_with_a_loss(money, upstream, STRIKES[how], name=f"long-{how}", seed=7, count=REQUESTS)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("how", STRIKES)
async def test_loss_after_loss_leaves_the_books_in_agreement(
    money: MoneyFleet, upstream: ScriptedUpstream, how: str, seed: int
) -> None:
    await check_load_with_a_loss(money, upstream, STRIKES[how], name=f"again-{how}-{seed}", seed=seed, count=400)


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_budget_that_is_spent_stays_so_when_its_store_is_killed(
    money: MoneyFleet, upstream: ScriptedUpstream, moment: str
) -> None:
    await check_budget_survives(money, upstream, restart_empty, name=f"killed-{moment}", moment=moment)
