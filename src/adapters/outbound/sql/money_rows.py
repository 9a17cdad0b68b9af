"""Budgets and prices as rows."""

from adapters.outbound.sql.tenant_rows import Row
from domain.budget.period import PeriodKind
from domain.budget.terms import BudgetOwner, BudgetTerms, OwnerKind
from domain.price_override import PriceOverride
from domain.pricing import Prices
from domain.stored import id_of, member_of


def budget_row(terms: BudgetTerms) -> Row:
    """The row of a budget."""
    team_id, user_id = member_of(terms.owner)
    return {
        "id": id_of(terms),
        "user_id": user_id,
        "team_id": team_id,
        "amount_nano": terms.amount_nano,
        "period": terms.kind.value,
        "timezone": terms.timezone,
        "hard": terms.hard,
    }


def budget_of(row: Row) -> BudgetTerms:
    """The budget of a row."""
    kind, _, owner_id = row["id"].partition(":")
    owner = BudgetOwner(OwnerKind(kind), owner_id)
    return BudgetTerms(owner, row["amount_nano"], PeriodKind(row["period"]), row["timezone"], row["hard"])


def price_row(override: PriceOverride) -> Row:
    """The row of a price."""
    return {
        "id": id_of(override),
        "provider": override.provider,
        "model": override.model,
        "effective_at_us": override.effective_at_us,
        "input_nano": override.prices.input,
        "output_nano": override.prices.output,
        "cached_input_nano": override.prices.cached_input,
        "unit_nano": override.prices.unit,
    }


def price_of(row: Row) -> PriceOverride:
    """The price of a row."""
    prices = Prices(row["input_nano"], row["output_nano"], row["cached_input_nano"], row["unit_nano"])
    return PriceOverride(row["provider"], row["model"], row["effective_at_us"], prices)
