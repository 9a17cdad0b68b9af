"""Things that happened and that someone may want to hear of."""

from dataclasses import dataclass

from domain.budget.answers import Crossing
from domain.budget.charge import AccountId, BudgetId
from domain.identifiers import InstanceId
from domain.resilience.circuit_breaker import Transition
from domain.usage_record import UsageRecord


@dataclass(frozen=True, slots=True)
class CircuitChanged:
    """The circuit of an instance opened, half-opened or closed."""

    instance_id: InstanceId
    transition: Transition


@dataclass(frozen=True, slots=True)
class BudgetReached:
    """What a budget has spent has come to 80 % or 100 % of its limit."""

    account: AccountId
    crossing: Crossing


@dataclass(frozen=True, slots=True)
class BudgetDrifted:
    """A budget's count differed from the ledger by more than it may. Where it was too low, it has been lifted."""

    account: AccountId
    budget: BudgetId
    period_id: str
    counted_nano: int
    ledger_nano: int


@dataclass(frozen=True, slots=True)
class UsageRecorded:
    """An attempt is in the ledger."""

    record: UsageRecord


Event = CircuitChanged | BudgetReached | BudgetDrifted | UsageRecorded
