"""What a gateway may let requests cost out of hard budgets that it cannot ask."""

from domain.budget.charge import BudgetId, Charge
from domain.money import NANO_PER_DOLLAR

_LIMIT_PART = 100


def allowance_nano(limit_nano: int, gateways: int) -> int:
    """One gateway's part of 1 % of the limit, but of no more than a dollar, rounded down: the bound holds together."""
    return min(limit_nano // _LIMIT_PART, NANO_PER_DOLLAR) // gateways


class Allowance:
    """What was reserved out of hard budgets since they were last in reach. Mutable; money in nano-dollars."""

    __slots__ = ("_taken_nano",)

    def __init__(self) -> None:
        self._taken_nano: dict[BudgetId, int] = {}

    def __bool__(self) -> bool:
        """Whether something was taken."""
        return bool(self._taken_nano)

    def take(self, charges: tuple[Charge, ...], amount_nano: int, gateways: int) -> BudgetId | None:
        """Takes the amount from every hard budget, or from none: the budget that has not enough left is named."""
        hard = [charge for charge in charges if charge.hard]
        for charge in hard:
            taken_nano = self._taken_nano.get(charge.of.budget, 0) + amount_nano
            if taken_nano > allowance_nano(charge.limit_nano, gateways):
                return charge.of.budget
        for charge in hard:
            self._taken_nano[charge.of.budget] = self._taken_nano.get(charge.of.budget, 0) + amount_nano
        return None
