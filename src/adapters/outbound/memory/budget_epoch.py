from application.ports.budget_epoch import BudgetEpoch, BudgetEpochs

_LONG_AGO_US = 10**15


class MemoryBudgetEpochs:
    """A process that lost its memory has begun anew, and so have its budgets."""

    async def epoch(self) -> BudgetEpoch:
        return BudgetEpoch(1, _LONG_AGO_US)


_conforms: type[BudgetEpochs] = MemoryBudgetEpochs
