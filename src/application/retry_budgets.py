from collections.abc import Collection

from domain.identifiers import ModelName
from domain.resilience.retry_budget import RetryBudget, RetryBudgetConfig


class RetryBudgets:
    """The retry budget of each model, in this process."""

    def __init__(self, config: RetryBudgetConfig) -> None:
        self._config = config
        self._budgets: dict[ModelName, RetryBudget] = {}

    def reconfigure(self, config: RetryBudgetConfig, models: Collection[ModelName]) -> None:
        """Another configuration is in force. Budgets stay where it says the same of them; new ones are full."""
        kept = self._budgets if config == self._config else {}
        self._config = config
        self._budgets = {model: budget for model, budget in kept.items() if model in models}

    def of(self, model: ModelName, now_us: int) -> RetryBudget:
        """The model's budget; a new one is full."""
        budget = self._budgets.get(model)
        if budget is None:
            budget = self._budgets[model] = RetryBudget(self._config, now_us)
        return budget
