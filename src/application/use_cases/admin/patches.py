"""What administrators may set. There is no field here that they may not: what else a key or a user has stays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from application.administration.patching import UNSET, Unset, given, patched
from domain.budget.period import PeriodKind
from domain.limits.key_limits import NO_LIMITS
from domain.tenants import Role, Team, User
from domain.virtual_key import VirtualKey

ItemT = TypeVar("ItemT", VirtualKey, User, Team)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsPatch:
    """Of a key, a user or a team."""

    requests_per_minute: int | Unset | None = UNSET
    tokens_per_minute: int | Unset | None = UNSET
    max_parallel: int | Unset | None = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetPatch:
    """Of anybody. Of a budget that there is none of yet, the amount is required."""

    amount_nano: int | Unset = UNSET
    kind: PeriodKind | Unset = UNSET
    timezone: str | Unset = UNSET
    hard: bool | Unset = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPatch:
    """Of a key."""

    name: str | Unset = UNSET
    models: frozenset[str] | Unset | None = UNSET
    tags: frozenset[str] | Unset = UNSET
    routes: Mapping[str, str] | Unset = UNSET
    limits: LimitsPatch | Unset | None = UNSET
    budget: BudgetPatch | Unset | None = UNSET
    expires_at_us: int | Unset | None = UNSET
    blocked: bool | Unset = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamPatch:
    """Of a team."""

    name: str | Unset = UNSET
    models: frozenset[str] | Unset | None = UNSET
    tags: frozenset[str] | Unset = UNSET
    routes: Mapping[str, str] | Unset = UNSET
    limits: LimitsPatch | Unset | None = UNSET
    budget: BudgetPatch | Unset | None = UNSET
    blocked: bool | Unset = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPatch:
    """Of a user."""

    email: str | Unset = UNSET
    role: Role | Unset = UNSET
    limits: LimitsPatch | Unset | None = UNSET
    budget: BudgetPatch | Unset | None = UNSET
    blocked: bool | Unset = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberPatch:
    """Of a user inside a team."""

    role: Role | Unset = UNSET
    budget: BudgetPatch | Unset | None = UNSET


def revised(item: ItemT, patch: KeyPatch | TeamPatch | UserPatch) -> ItemT:
    """The item with all but its budget as the patch has it. Raises InvalidRequest, naming the field."""
    values: dict[str, Any] = given(patch)
    values.pop("budget", None)
    limits = values.get("limits")
    if isinstance(limits, LimitsPatch):
        values["limits"] = patched(item.limits, given(limits), "limits.")
    elif "limits" in values:
        values["limits"] = NO_LIMITS
    return patched(item, values)
