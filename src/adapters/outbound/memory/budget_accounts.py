from domain.budget.account import AccountBudgets
from domain.budget.charge import AccountId


class BudgetAccounts:
    """The budgets of all accounts in one process, for all who count in them."""

    def __init__(self) -> None:
        self._accounts: dict[AccountId, AccountBudgets] = {}

    def of(self, account: AccountId) -> AccountBudgets:
        """Those of one account; nothing is counted yet where it is new."""
        found = self._accounts.get(account)
        if found is None:
            found = self._accounts[account] = AccountBudgets()
        return found
