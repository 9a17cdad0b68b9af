import pytest, os, itertools
from tests.e2e.test_money_fleet import money
from tests.e2e.money_loss import *
pytestmark = pytest.mark.asyncio(loop_scope="module")

@pytest.mark.parametrize("seed", range(int(os.environ.get("N", "10"))))
async def test_loop(money, upstream, seed):
    for moment in MOMENTS:
        strike = restart_empty if os.environ.get("RESTART") else flush
        await check_budget_survives(money, upstream, strike, name=f"l{seed}-{moment}", moment=moment)
