"""All budgets of one account: money held, settled and given back, in one step over several budgets."""

from dataclasses import dataclass, replace

from domain.budget.answers import (
    Balance,
    Inspection,
    Orphan,
    Refused,
    Reserved,
    ResolutionKind,
    Resolved,
    Standing,
    Unverified,
)
from domain.budget.charge import (
    LARGEST_NANO,
    AttemptId,
    BudgetId,
    BudgetPeriod,
    Charge,
    Reservation,
    check_epoch,
    whole_nano,
)
from domain.budget.expiries import Expiries

SUSPENSE_US = 86_400_000_000
"""How long an orphan counts after its time is over: its provider has probably billed it."""

RESOLVED_KEPT_US = 120_000_000
"""How long the end of a reservation is remembered, so that who asks again hears the same."""

KEPT_US = 7 * 86_400_000_000
"""How long a balance outlives its period or, where that is later, its last use."""

SWEPT_AT_ONCE = 50
LISTED_ORPHANS = 100
LISTED_OPEN = 10_000

_UNKNOWN = Balance(0, 0, 0)


@dataclass(frozen=True, slots=True)
class _Series:
    """That every period of a budget which began at `since_us` or later has been counted here from its first request."""

    epoch: int
    since_us: int
    expires_us: int


class AccountBudgets:
    """The state of one account, after TigerBeetle's two-phase transfers. Mutable: its store changes it in one step.

    Admission is pessimistic: settled + reserved + new ≤ limit. So settled money exceeds a hard limit by no more than
    what attempts cost beyond their reservations, and what is settled later than a day after its reservation expired
    (it is not counted here; the ledger has it).
    """

    __slots__ = ("_attempts", "_balances", "_due", "_open", "_series")

    def __init__(self) -> None:
        self._balances: dict[str, Balance] = {}
        self._series: dict[str, _Series] = {}
        self._attempts: dict[str, tuple[Reserved | Resolved, int]] = {}
        self._open = Expiries()
        self._due = Expiries()

    def reserve(self, asked: Reservation, now_us: int) -> Reserved | Refused | Unverified | Resolved:
        """Holds the amount in every budget, or in none."""
        own = str(asked.attempt_id)
        self._sweep(own, now_us)
        if own in self._attempts:
            return self._attempts[own][0]
        balances = [self._balance(charge.of, now_us) for charge in asked.charges]
        unverified: list[BudgetId] = []
        for charge, balance in zip(asked.charges, balances, strict=True):
            taken_nano = balance.settled_nano + balance.reserved_nano + asked.amount_nano
            if taken_nano > LARGEST_NANO or (charge.hard and taken_nano > charge.limit_nano):
                of = charge.of
                return Refused(of.budget, of.period.id, charge.limit_nano, balance.settled_nano, balance.reserved_nano)
            if charge.hard and balance.epoch < asked.epoch:
                unverified.append(charge.of.budget)
        if unverified:
            return Unverified(tuple(unverified))
        return self._hold(asked, own, balances, now_us)

    def settle(self, attempt_id: AttemptId, actual_nano: int, now_us: int) -> Resolved | None:
        """Books what the attempt cost."""
        return self._resolve(attempt_id, ResolutionKind.SETTLED, whole_nano(actual_nano), now_us)

    def release(self, attempt_id: AttemptId, now_us: int) -> Resolved | None:
        """Gives the reservation back."""
        return self._resolve(attempt_id, ResolutionKind.RELEASED, 0, now_us)

    def inspect(self, asked: tuple[BudgetPeriod, ...], now_us: int) -> Inspection:
        """How things stand."""
        self._sweep(None, now_us)
        orphans: list[Orphan] = []
        for name in self._open.first(now_us, LISTED_ORPHANS):
            answer, expires_us = self._attempts[name]
            orphans.append(Orphan(AttemptId.parse(name), answer.amount_nano, expires_us))
        return Inspection(tuple(self._balance(of, now_us) for of in asked), tuple(orphans))

    def open_attempts(self, now_us: int) -> list[AttemptId]:
        """What counts as reserved, by when it expires."""
        self._sweep(None, now_us)
        return [AttemptId.parse(name) for name in self._open.after(now_us - SUSPENSE_US, LISTED_OPEN)]

    def reseed(self, of: BudgetPeriod, settled_nano: int, epoch: int, now_us: int) -> Balance:
        """Lifts what is settled to what the ledger says."""
        check_epoch(epoch)
        whole_nano(settled_nano)
        self._sweep(None, now_us)
        known = self._balance(of, now_us)
        balance = Balance(max(known.settled_nano, settled_nano), known.reserved_nano, max(known.epoch, epoch))
        series = self._live_series(of, now_us)
        if series is None or series.epoch < epoch:
            series = _Series(epoch, now_us, 0)
        self._keep(of, balance, series, now_us)
        return balance

    def _balance(self, of: BudgetPeriod, now_us: int) -> Balance:
        known = self._balances.get(of.name)
        if known is not None:
            return known
        series = self._live_series(of, now_us)
        if series is None or of.period.starts_us < series.since_us:
            return _UNKNOWN
        return Balance(0, 0, series.epoch)

    def _live_series(self, of: BudgetPeriod, now_us: int) -> _Series | None:
        series = self._series.get(of.series)
        return series if series is not None and now_us < series.expires_us else None

    def _hold(self, asked: Reservation, own: str, balances: list[Balance], now_us: int) -> Reserved:
        standings: list[Standing] = []
        for charge, known in zip(asked.charges, balances, strict=True):
            balance = replace(known, reserved_nano=known.reserved_nano + asked.amount_nano)
            self._keep(charge.of, balance, self._live_series(charge.of, now_us), now_us)
            standings.append(_standing(charge, balance, asked.epoch))
        answer = Reserved(asked.amount_nano, now_us + asked.ttl_us, tuple(standings))
        self._attempts[own] = (answer, answer.expires_us)
        self._open.set(own, answer.expires_us)
        return answer

    def _keep(self, of: BudgetPeriod, balance: Balance, series: _Series | None, now_us: int) -> None:
        expires_us = max(now_us, of.period.ends_us or 0) + KEPT_US
        self._balances[of.name] = balance
        self._due.set(f"b|{of.name}", expires_us)
        if series is not None:
            self._series[of.series] = replace(series, expires_us=expires_us)
            self._due.set(f"s|{of.series}", expires_us)

    def _resolve(self, attempt_id: AttemptId, kind: ResolutionKind, actual_nano: int, now_us: int) -> Resolved | None:
        own = str(attempt_id)
        self._sweep(own, now_us)
        known = self._attempts.get(own)
        if known is None:
            return None
        answer = known[0]
        if isinstance(answer, Resolved):
            return answer
        standings = tuple(self._book(standing, answer.amount_nano, actual_nano) for standing in answer.standings)
        resolved = Resolved(kind, answer.amount_nano, actual_nano, standings)
        self._attempts[own] = (resolved, now_us + RESOLVED_KEPT_US)
        self._open.remove(own)
        self._due.set(f"a|{own}", now_us + RESOLVED_KEPT_US)
        return resolved

    def _book(self, standing: Standing, amount_nano: int, actual_nano: int) -> Standing:
        """Moves from reserved to settled, in the period of the reservation."""
        name = f"{standing.budget}|{standing.period_id}"
        known = self._balances[name]
        settled_nano = min(LARGEST_NANO, known.settled_nano + actual_nano)
        balance = replace(known, settled_nano=settled_nano, reserved_nano=known.reserved_nano - amount_nano)
        self._balances[name] = balance
        return replace(standing, settled_nano=balance.settled_nano, reserved_nano=balance.reserved_nano)

    def _sweep(self, own: str | None, now_us: int) -> None:
        """Drops what is overdue: `own`, and a bounded number of others."""
        if own in self._attempts:
            answer, expires_us = self._attempts[own]
            if now_us >= expires_us + (SUSPENSE_US if isinstance(answer, Reserved) else 0):
                self._forget(own)
        for name in self._open.first(now_us - SUSPENSE_US, SWEPT_AT_ONCE):
            self._forget(name)
        for name in self._due.first(now_us, SWEPT_AT_ONCE):
            self._drop(name, now_us)

    def _drop(self, due: str, now_us: int) -> None:
        kind, _, name = due.partition("|")
        if kind == "a":
            self._forget(name)
        elif kind == "s":
            del self._series[name]
            self._due.remove(due)
        elif self._balances[name].reserved_nano > 0:
            self._due.set(due, now_us + SUSPENSE_US)
        else:
            del self._balances[name]
            self._due.remove(due)

    def _forget(self, own: str) -> None:
        answer, _ = self._attempts.pop(own)
        self._open.remove(own)
        self._due.remove(f"a|{own}")
        if isinstance(answer, Reserved):
            for standing in answer.standings:
                self._book(standing, answer.amount_nano, 0)


def _standing(charge: Charge, balance: Balance, epoch: int) -> Standing:
    of = charge.of
    return Standing(
        of.budget,
        of.period.id,
        charge.limit_nano,
        charge.hard,
        balance.epoch >= epoch,
        balance.settled_nano,
        balance.reserved_nano,
    )
