from dataclasses import replace

from application.ports.budget import Budgets
from application.spending.spend import Spend
from domain.budget.answers import Refused, Reserved, ResolutionKind, Resolved, Unverified


class Restoring:
    """Reserves again what a store of budgets may have lost.

    Attributes:
        epoch: At which everything has to be verified, as far as is known here.
    """

    def __init__(self, budgets: Budgets) -> None:
        self._budgets = budgets
        self.epoch = 1

    async def __call__(self, spend: Spend) -> bool:
        """Whether it is held now, and has still to be ended. Raises StateUnavailable."""
        was_unverified, spend.is_unverified = spend.is_unverified, True
        answer = await self._reserve_again(spend)
        if isinstance(answer, Resolved) and answer.kind is ResolutionKind.RELEASED and not spend.is_released:
            # Withdrawn by whoever did not hear that it was made. It ran all the same.
            spend.reservation = replace(spend.reservation, attempt_id=spend.reservation.attempt_id.anew)
            answer = await self._reserve_again(spend)
        is_late = isinstance(answer, Reserved) and await self._is_late(spend, answer)
        spend.is_missing = False
        if not isinstance(answer, Reserved):
            spend.is_unverified = was_unverified
            return False
        spend.booked_us, spend.is_late = None, is_late
        return True

    async def _is_late(self, spend: Spend, answer: Reserved) -> bool:
        if not any(standing.verified for standing in answer.standings):
            # Whoever rebuilds them finds it open, and ends it where the ledger's sum has it.
            return False
        # That may be what was answered at first, where nothing was lost.
        balances = (await self._budgets.inspect(spend.account, spend.periods)).balances
        return any(balance.epoch >= self.epoch for balance in balances)

    async def _reserve_again(self, spend: Spend) -> Reserved | Refused | Unverified | Resolved:
        asked = spend.reservation
        soft = tuple(replace(charge, hard=False) for charge in asked.charges)
        amount_nano = asked.amount_nano if spend.cost_nano is None else spend.cost_nano
        again = replace(asked, charges=soft, amount_nano=amount_nano, epoch=self.epoch)
        return await self._budgets.reserve(spend.account, again)
