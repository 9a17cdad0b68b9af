"""A caller with budgets at a gateway whose upstream is scripted."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from adapters.outbound.memory.budget_roll import MemoryBudgetRoll
from adapters.testing.scripted_provider import Act
from application.billing.estimate import Terms
from application.ports.budget_roll import BudgetRoll
from domain.budget.answers import Balance
from domain.budget.charge import AccountId, BudgetPeriod
from domain.budget.terms import BudgetOwner, BudgetTerms, OwnerKind
from domain.callers import Caller, CallerKind
from domain.catalog import Catalog, Instance, RouterPolicy
from domain.pricing import Prices
from domain.usage_record import UsageRecord
from tests.unit.dispatch.gateway import Gateway, member, models

PER_TOKEN = 1_000_000
"""A nano-dollar a token."""

KEY = BudgetTerms(BudgetOwner(OwnerKind.KEY, "K"), 100)
MEMBER = BudgetTerms(BudgetOwner(OwnerKind.MEMBER, "T:U"), 100)
TEAM = BudgetTerms(BudgetOwner(OwnerKind.TEAM, "T"), 100)


def tenant(*budgets: BudgetTerms, **changes: Any) -> Caller:
    caller = Caller(CallerKind.KEY, "K", tenant="team:T", user_id="U", team_id="T", budgets=budgets)
    return replace(caller, **changes)


def priced(model: str, name: str, **changes: Any) -> Instance:
    return member(model, name, own_prices=Prices(PER_TOKEN, PER_TOKEN), **changes)


def gateway(
    *instances: Instance,
    policy: RouterPolicy | None = None,
    terms: Terms | None = None,
    roll: BudgetRoll | None = None,
    **catalog: Any,
) -> Gateway:
    found = models(*(instances or (priced("gpt", "a", max_output_tokens=20),)))
    made = Catalog(found, **catalog)
    return Gateway(made, policy or RouterPolicy(), terms=terms or Terms(), roll=roll or MemoryBudgetRoll())


def script(gateway: Gateway, name: str, *acts: Act) -> None:
    gateway.upstream(name).script.extend(acts)


def told(gateway: Gateway) -> Sequence[tuple[int, str, int]]:
    """Of each record: attempt, outcome, cost."""
    return [(record.attempt, record.outcome.value, record.cost_nano) for record in gateway.records()]


async def ledgered(gateway: Gateway) -> list[UsageRecord]:
    """Brings everything home, as the pipeline does."""
    records = gateway.records()
    await gateway.ledger.insert(records)
    gateway.journal.mark_delivered([record.record_id for record in records])
    await gateway.spends.ledgered([record.record_id for record in records])
    return records


async def balance(gateway: Gateway, terms: BudgetTerms = KEY) -> Balance:
    """What the store says of the budget, when all that is under way has been told."""
    await gateway.spends.drain()
    of: BudgetPeriod = terms.period(gateway.clock.now_us())
    return (await gateway.budgets.inspect(AccountId("team:T"), (of,))).balances[0]
