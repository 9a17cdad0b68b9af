"""Random histories of one account against plain sums: gateways that die, repeat themselves, and settle late."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain.budget.account import SUSPENSE_US, AccountBudgets
from domain.budget.answers import Refused, Reserved, ResolutionKind, Resolved, Unverified
from domain.budget.charge import AttemptId, BudgetId, BudgetPeriod, Charge, Reservation
from domain.budget.period import PeriodKind, period_of
from domain.identifiers import RequestId

KYIV = ZoneInfo("Europe/Kyiv")
START_US = 1_800_000_000_000_000
HOUR_US = 3_600_000_000
BUDGETS = {"key": (PeriodKind.DAILY, 60), "member": (PeriodKind.WEEKLY, 150), "team": (PeriodKind.MONTHLY, 400)}
AMOUNTS = st.integers(0, 60)


@dataclass
class Held:
    """What the model remembers of one reservation."""

    names: tuple[str, ...]
    amount_nano: int
    expires_us: int
    end: Resolved | None = None


class AccountMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.account = AccountBudgets()
        self.now_us = START_US
        self.held: dict[AttemptId, Held] = {}
        self.periods: dict[str, tuple[BudgetPeriod, int]] = {}
        self.settled: dict[str, int] = {}
        self.excess: dict[str, int] = {}
        self.numbers = 0
        for budget in BUDGETS:
            self.account.reseed(self.of(budget), 0, 1, self.now_us)

    def of(self, budget: str) -> BudgetPeriod:
        kind, limit_nano = BUDGETS[budget]
        found = BudgetPeriod(BudgetId(budget), period_of(self.now_us, kind, KYIV))
        self.periods[found.name] = (found, limit_nano)
        return found

    def counts(self, held: Held) -> bool:
        return held.end is None and self.now_us < held.expires_us + SUSPENSE_US

    def reserved(self, name: str) -> int:
        return sum(held.amount_nano for held in self.held.values() if name in held.names and self.counts(held))

    @rule(
        amount_nano=AMOUNTS,
        budgets=st.sets(st.sampled_from(sorted(BUDGETS)), min_size=1),
        ttl_us=st.sampled_from([1, HOUR_US]),
    )
    def reserve(self, amount_nano: int, budgets: set[str], ttl_us: int) -> None:
        self.numbers += 1
        attempt_id = AttemptId(RequestId(f"r{self.numbers}"), 1)
        charges = tuple(Charge(self.of(budget), BUDGETS[budget][1]) for budget in sorted(budgets))
        asked = Reservation(attempt_id, charges, amount_nano, 1, ttl_us)
        answer = self.account.reserve(asked, self.now_us)
        if isinstance(answer, Unverified):  # idle for over a week: the ledger has the sum
            for charge in charges:
                self.account.reseed(charge.of, self.settled.get(charge.of.name, 0), 1, self.now_us)
            answer = self.account.reserve(asked, self.now_us)

        full = [
            charge.of.budget
            for charge in charges
            if self.settled.get(charge.of.name, 0) + self.reserved(charge.of.name) + amount_nano > charge.limit_nano
        ]
        if full:
            assert isinstance(answer, Refused)
            assert answer.budget == full[0]
        else:
            assert isinstance(answer, Reserved)
            names = tuple(charge.of.name for charge in charges)
            self.held[attempt_id] = Held(names, amount_nano, self.now_us + ttl_us)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), actual_nano=AMOUNTS, release=st.booleans())
    def resolve(self, data: st.DataObject, actual_nano: int, release: bool) -> None:
        attempt_id = data.draw(st.sampled_from(list(self.held)))
        held, counted = self.held[attempt_id], self.counts(self.held[attempt_id])
        if release:
            answer, actual_nano = self.account.release(attempt_id, self.now_us), 0
        else:
            answer = self.account.settle(attempt_id, actual_nano, self.now_us)

        if counted:
            assert answer is not None
            assert answer.kind is (ResolutionKind.RELEASED if release else ResolutionKind.SETTLED)
            held.end = answer
            for name in held.names:
                self.settled[name] = self.settled.get(name, 0) + actual_nano
                self.excess[name] = self.excess.get(name, 0) + max(0, actual_nano - held.amount_nano)
        else:
            assert answer in (held.end, None)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def reserve_again(self, data: st.DataObject) -> None:
        attempt_id = data.draw(st.sampled_from(list(self.held)))
        if self.counts(self.held[attempt_id]):
            asked = Reservation(attempt_id, (Charge(self.of("key"), 60),), 1, 1, HOUR_US)
            assert isinstance(self.account.reserve(asked, self.now_us), Reserved)

    @rule(span_us=st.sampled_from([1, HOUR_US, 6 * HOUR_US, 24 * HOUR_US, 72 * HOUR_US]))
    def wait(self, span_us: int) -> None:
        self.now_us += span_us

    @invariant()
    def sums_hold(self) -> None:
        names = [
            name for name, (of, _) in self.periods.items() if self.now_us < (of.period.ends_us or 0) + 48 * HOUR_US
        ]
        asked = tuple(self.periods[name][0] for name in names)
        for name, balance in zip(names, self.account.inspect(asked, self.now_us).balances, strict=True):
            assert balance.settled_nano == self.settled.get(name, 0)
            assert balance.reserved_nano == self.reserved(name)
            assert balance.settled_nano <= self.periods[name][1] + self.excess.get(name, 0)


TestAccount = AccountMachine.TestCase
TestAccount.settings = settings(max_examples=120, stateful_step_count=30)
