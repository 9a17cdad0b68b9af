"""What a key opens, with all that its user and its team add to it and take from it."""

from dataclasses import dataclass, field
from types import MappingProxyType

from domain.budget.terms import BudgetTerms
from domain.callers import Caller, CallerKind
from domain.limits.key_limits import limits_of
from domain.limits.limit import Algorithm, Limit
from domain.tenants import Membership, Team, User
from domain.virtual_key import KeyScope, VirtualKey


@dataclass(frozen=True, slots=True)
class Grant:
    """A key as it is found when somebody shows it.

    Attributes:
        budgets: Of the key, of the member, and of the team or, for a personal key, the user: as far as they are set.
    """

    key: VirtualKey
    user: User | None = None
    team: Team | None = None
    membership: Membership | None = None
    budgets: tuple[BudgetTerms, ...] = field(default=())

    def is_valid(self, now_us: int) -> bool:
        """Whether it opens anything now: it is valid, its user and team exist unblocked, the one in the other."""
        key, user, team = self.key, self.user, self.team
        if not key.is_valid(now_us):
            return False
        if (key.user_id is not None and (user is None or user.blocked)) or (
            key.team_id is not None and (team is None or team.blocked)
        ):
            return False
        return user is None or team is None or self.membership is not None

    def caller(self, algorithm: Algorithm) -> Caller:
        """Who asks with it. `algorithm` counts its limits per minute."""
        key, team = self.key, self.team
        return Caller(
            CallerKind.KEY,
            key.id,
            models=_both(key.models, None if team is None else team.models),
            tags=key.tags if team is None else key.tags | team.tags,
            tenant=key.tenant,
            user_id=key.user_id,
            team_id=key.team_id,
            routes=MappingProxyType(self._routes()),
            limits=self._limits(algorithm),
            budgets=self.budgets,
            role=self.user.role if key.scope is KeyScope.ADMIN and self.user is not None else None,
        )

    def _routes(self) -> dict[str, str]:
        """The team's, and above them the key's, but for those that lead past the team: it bounds its keys."""
        team = self.team
        if team is None:
            return dict(self.key.routes)
        within = None if team.models is None else team.models.union(team.routes.values())
        own = {asked: given for asked, given in self.key.routes.items() if within is None or given in within}
        return {**team.routes, **own}

    def _limits(self, algorithm: Algorithm) -> tuple[Limit, ...]:
        limits = self.key.own_limits(algorithm)
        if self.user is not None:
            limits += limits_of(f"user:{self.user.id}", self.user.limits, algorithm)
        if self.team is not None:
            limits += limits_of(f"team:{self.team.id}", self.team.limits, algorithm)
        return limits


def _both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other
