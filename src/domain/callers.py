"""Who asks, and what they may use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from domain.budget.terms import BudgetTerms
from domain.limits.limit import Limit
from domain.tenants import Role


class CallerKind(StrEnum):
    """How a caller became known."""

    MASTER = "master"
    KEY = "key"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal that was authenticated. There is no empty one.

    Attributes:
        id: Unique among its kind: of an anonymous caller, the address it comes from.
        models: Names it may ask for (models, aliases, routes); None for all.
        tags: Instances it may use must carry all of these.
        tenant: The team or user whose limits and budgets it shares, such as `team:T`; None where it is on its own.
        routes: What it gets where it asks for a name: another model, alias or route, whose use needs no permission.
        limits: Of its own, its user's and its team's.
        budgets: What its requests count against.
        role: What it may do in the admin API; None for nothing.
    """

    kind: CallerKind
    id: str
    models: frozenset[str] | None = None
    tags: frozenset[str] = frozenset()
    tenant: str | None = None
    user_id: str | None = None
    team_id: str | None = None
    routes: Mapping[str, str] = field(default_factory=dict, hash=False)
    limits: tuple[Limit, ...] = ()
    budgets: tuple[BudgetTerms, ...] = ()
    role: Role | None = None

    @property
    def name(self) -> str:
        """Unique among all callers."""
        return f"{self.kind}:{self.id}"

    @property
    def account(self) -> str:
        """Where everything its requests count against is decided in one step. Callers of one tenant share it."""
        return self.tenant or self.name

    @property
    def has_hard_budget(self) -> bool:
        """Whether some budget may refuse it."""
        return any(budget.hard for budget in self.budgets)

    def may_use(self, name: str) -> bool:
        """Whether it may ask for that model, alias or route."""
        return self.models is None or name in self.models
