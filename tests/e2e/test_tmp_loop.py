import pytest, os
from tests.e2e.test_money_fleet import *
from tests.e2e.money_loss import restart_empty
pytestmark = pytest.mark.asyncio(loop_scope="module")

@pytest.mark.parametrize("seed", range(int(os.environ.get("N", "10"))))
async def test_loop(money, upstream, seed):
    strike = restart_empty if os.environ.get("RESTART") else flush
    await check_load_with_a_loss(money, upstream, strike, name=f"loop{seed}", seed=seed, count=int(os.environ.get("COUNT", "300")))
