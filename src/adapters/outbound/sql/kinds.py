"""Where each kind of item lies, and how it gets there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import Column, Table

from adapters.outbound.sql.money_rows import budget_of, budget_row, price_of, price_row
from adapters.outbound.sql.tables import METADATA
from adapters.outbound.sql.tenant_rows import (
    Row,
    key_of,
    key_row,
    membership_of,
    membership_row,
    team_of,
    team_row,
    user_of,
    user_row,
)
from domain.budget.terms import BudgetTerms
from domain.price_override import PriceOverride
from domain.stored import noun_of
from domain.tenants import Membership, Team, User
from domain.virtual_key import VirtualKey


@dataclass(frozen=True, slots=True)
class Kind:
    """The table of one kind of item, each in one row by its id."""

    table: Table
    row_of: Callable[[Any], Row]
    item_of: Callable[[Row], Any]

    def column(self, field: str) -> Column[Any]:
        """The column of a field that items are found by."""
        return self.table.c["id" if field == "owner" else field]


_KINDS: Mapping[type, Kind] = MappingProxyType(
    {
        User: Kind(METADATA.tables["users"], user_row, user_of),
        Team: Kind(METADATA.tables["teams"], team_row, team_of),
        Membership: Kind(METADATA.tables["memberships"], membership_row, membership_of),
        VirtualKey: Kind(METADATA.tables["virtual_keys"], key_row, key_of),
        BudgetTerms: Kind(METADATA.tables["budgets"], budget_row, budget_of),
        PriceOverride: Kind(METADATA.tables["prices"], price_row, price_of),
    }
)


def kind_of(kind: type) -> Kind:
    """The table of that kind.

    Raises:
        ValueError: There is none.
    """
    noun_of(kind)
    return _KINDS[kind]


def is_storable(text: str) -> bool:
    """Whether a database can be asked about that text at all. What it can't hold, it does not have."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
