from collections.abc import Mapping

from adapters.outbound.redis.executor import Now, RedisExecutor, server_time
from application.ports.budget_roll import ROLL_KEPT_US, BudgetRoll
from domain.budget.epoch import Said


class RedisBudgetRoll:
    """One hash for the fleet. `gateway_id`: unique among gateways; another one for each start."""

    def __init__(self, executor: RedisExecutor, prefix: str, gateway_id: str, now: Now = server_time) -> None:
        self._executor = executor
        self._key = f"{prefix}{{e:roll}}:budget-roll"
        self._gateway_id = gateway_id
        self._now = now

    async def answer(self, epoch: int) -> Mapping[str, Said]:
        words = (self._now(), self._gateway_id, epoch, ROLL_KEPT_US)
        told = [word.decode() for word in await self._executor.call("budget/roll", [self._key], words)]
        by_three = zip(told[::3], told[1::3], told[2::3], strict=True)
        return {name: Said(int(number), int(age_us)) for name, number, age_us in by_three}


_conforms: type[BudgetRoll] = RedisBudgetRoll
