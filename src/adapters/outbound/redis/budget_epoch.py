from adapters.outbound.redis.executor import RedisExecutor
from application.ports.budget_epoch import BudgetEpoch, BudgetEpochs


class RedisBudgetEpochs:
    """Stand-in."""

    def __init__(self, executor: RedisExecutor, prefix: str) -> None:
        self._executor = executor
        self._prefix = prefix

    async def epoch(self) -> BudgetEpoch:
        return BudgetEpoch(1, 10**15)


_conforms: type[BudgetEpochs] = RedisBudgetEpochs
