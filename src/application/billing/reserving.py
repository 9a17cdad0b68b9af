import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from application.background import Background
from application.billing.quoting import Quoting
from application.degrading.budgets_alone import BudgetsAlone
from application.errors import BudgetExceeded, StateUnavailable
from application.journey import Journey
from application.locking import LockTaken
from application.ports.budget import Budgets
from application.ports.clock import Clock
from application.spending.spends import Spends
from application.spending.verification import Verification
from domain.budget.answers import Refused, Reserved, Standing, Unverified
from domain.budget.charge import AccountId, AttemptId, Reservation
from domain.budget.terms import BudgetClock
from domain.catalog import Resolved
from domain.money import format_dollars

_WAITS_US = 5_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ALERT_PERCENT = 80
REBUILDS = 3
REBUILDING = "what your budgets have come to is being rebuilt from the ledger: try again"


class Reserving:
    """Holds money for each attempt of callers that have budgets."""

    def __init__(
        self,
        budgets: Budgets,
        quoting: Quoting,
        spends: Spends,
        verification: Verification,
        alone: BudgetsAlone,
        clock: Clock,
    ) -> None:
        self._budgets = budgets
        self._quoting = quoting
        self._spends = spends
        self._verification = verification
        self._alone = alone
        self._clock = clock
        self._calendar = BudgetClock()
        self._background = Background()

    def quote(self, journey: Journey, first: Resolved) -> None:
        """Notes what each attempt of the request has to reserve. Money in the caller's budgets is counted, no other."""
        if journey.request.caller.budgets:
            journey.amount_nano = self._quoting.amount_nano(journey.request, journey.catalog, journey.policy, first)

    def ask(self, journey: Journey) -> Reservation | None:
        """What the next attempt has to reserve; None where its caller has no budget."""
        terms = journey.request.caller.budgets
        if not terms:
            return None
        now_us = journey.reserved_us = self._clock.now_us()
        return Reservation(
            AttemptId(journey.request.request_id, len(journey.trace.attempts) + 1),
            tuple(self._calendar.charge(each, now_us) for each in terms),
            journey.amount_nano,
            self._spends.epoch,
            self._quoting.terms.ttl_us,
        )

    def held(self, journey: Journey, reservation: Reservation, answer: Reserved) -> None:
        """It has been made, and waits for its attempt."""
        is_unverified = not all(standing.verified for standing in answer.standings)
        self._spends.hold(AccountId(journey.request.caller.account), reservation, is_unverified=is_unverified)
        journey.reservation = reservation
        said = tuple(map(_alert, filter(_is_nearly_spent, answer.standings)))
        journey.trace.budgets = said

    def missed(self, journey: Journey, reservation: Reservation) -> None:
        """Nobody could be asked, and the attempt runs all the same: what it costs is told when somebody can."""
        self._tell_later(journey, reservation)

    def withdrawn(self, journey: Journey, reservation: Reservation) -> None:
        """The same where whoever asked takes it back under its id, for as long as it may still arrive.

        It goes by another one: what is told afterwards must not be taken back with it.
        """
        self._tell_later(journey, replace(reservation, attempt_id=reservation.attempt_id.anew))

    def _tell_later(self, journey: Journey, reservation: Reservation) -> None:
        self._spends.hold(AccountId(journey.request.caller.account), reservation, is_missing=True)
        journey.reservation = reservation
        journey.note_degraded("budgets")

    def let_go(self, journey: Journey) -> None:
        """There will be no further attempt: what waits for one is given back."""
        if journey.reservation is not None:
            self._spends.release(journey.reservation.attempt_id)
            journey.reservation = None

    def give_back(self, account: str, reservation: Reservation) -> None:
        """Gives back what may have been reserved for a request that will not run."""
        self._spends.hold(AccountId(account), reservation, is_missing=True)
        self._spends.release(reservation.attempt_id)

    async def reserve(self, journey: Journey) -> None:
        """For an attempt after the first.

        Raises:
            BudgetExceeded: It does not fit.
            StateUnavailable: The store that knows is away.
        """
        for _ in range(REBUILDS):
            asked = self.ask(journey)
            if asked is None:
                return
            asking = asyncio.create_task(self._budgets.reserve(AccountId(journey.request.caller.account), asked))
            try:
                answer = await asyncio.shield(asking)
            except StateUnavailable:
                self._go_on_alone(journey, asked)
                return
            except asyncio.CancelledError:
                self._background.do(self._undo(asking, journey.request.caller.account, asked))
                raise
            match answer:
                case Reserved():
                    self.held(journey, asked, answer)
                    return
                case Unverified():
                    await self.verify(journey, asked, answer)
                case Refused():
                    raise self.refusal(asked, answer)
                case _:
                    raise StateUnavailable("this attempt's budget was settled before it began: try again")
        raise StateUnavailable(REBUILDING)

    def _go_on_alone(self, journey: Journey, asked: Reservation) -> None:
        try:
            self._alone.take(asked)
        except StateUnavailable:
            # It may have been made, and nobody heard of it.
            self.give_back(journey.request.caller.account, asked)
            raise
        self.missed(journey, asked)

    async def verify(self, journey: Journey, asked: Reservation, answer: Unverified) -> None:
        """Returns when these budgets are known again. Raises StateUnavailable where that takes too long."""
        unknown = set(answer.budgets)
        periods = [charge.of for charge in asked.charges if charge.of.budget in unknown]
        left_us = min(_WAITS_US, journey.deadline.remaining_us(self._clock.monotonic_us()))
        try:
            async with asyncio.timeout(left_us / 1_000_000):
                await self._verification.verify(AccountId(journey.request.caller.account), periods)
        except (LockTaken, TimeoutError) as error:
            raise StateUnavailable(REBUILDING) from error

    def refusal(self, asked: Reservation, refused: Refused) -> BudgetExceeded:
        """Names the budget, its period, and when that ends."""
        charge = next(charge for charge in asked.charges if charge.of.budget == refused.budget)
        kind, _, owner = refused.budget.partition(":")
        taken_nano = refused.settled_nano + refused.reserved_nano
        ends_us = charge.of.period.ends_us
        resets = "it does not reset" if ends_us is None else f"it resets at {_instant(ends_us)}"
        return BudgetExceeded(
            f"the budget of the {kind} {owner} does not allow it: of {format_dollars(refused.limit_nano)} dollars for "
            f"{refused.period_id}, {format_dollars(taken_nano)} are spent or reserved, and this request may cost "
            f"{format_dollars(asked.amount_nano)}; {resets}"
        )

    async def settle(self) -> None:
        """Returns when all that was left is accounted for."""
        await self._background.settle()

    async def _undo(self, asking: "asyncio.Task[object]", account: str, reservation: Reservation) -> None:
        # Also where nobody heard whether it was made.
        with suppress(StateUnavailable):
            await asking
        self.give_back(account, reservation)


def _is_nearly_spent(standing: Standing) -> bool:
    taken_nano = standing.settled_nano + standing.reserved_nano
    return not standing.hard and taken_nano * 100 >= _ALERT_PERCENT * standing.limit_nano


def _alert(standing: Standing) -> str:
    taken_nano = standing.settled_nano + standing.reserved_nano
    percent = taken_nano * 100 // standing.limit_nano if standing.limit_nano else 100
    return f"{standing.budget}={percent}%"


def _instant(at_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="seconds").replace("+00:00", "Z")
