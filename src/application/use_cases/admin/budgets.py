from collections.abc import Sequence
from dataclasses import dataclass

from application.administration.administering import apply, missing, page
from application.administration.budget_standing import BudgetStanding
from application.administration.chained_pages import chained
from application.errors import NotPermitted
from application.ports.admin_store import AdminStore
from application.use_cases.admin.budget_changes import OwnedBudgets, key_owner
from application.use_cases.admin.patches import BudgetPatch
from application.use_cases.admin.reach import refuse_foreign_key, seen_key, seen_member, seen_team, seen_user
from domain.budget.terms import BudgetOwner, BudgetTerms, OwnerKind
from domain.pages import Page
from domain.principal import Principal
from domain.tenants import Membership, TeamId
from domain.virtual_key import VirtualKey


@dataclass(frozen=True, slots=True)
class _Owned:
    """An owner that the caller may see: the account its budget lies in, and whether the caller may set it."""

    owner: BudgetOwner
    account: str
    managed: bool


@dataclass(frozen=True, slots=True)
class AllBudgets:
    """Everybody's budgets, by their ids: `team:T`, `user:U`, `key:K`, and `member:T:U` of a user inside a team."""

    store: AdminStore
    budgets: OwnedBudgets

    async def list(self, principal: Principal, limit: int, after: str | None) -> Page[BudgetStanding]:
        """How all budgets stand, in the order of their ids; those of each of its teams, where it sees no others."""
        if principal.sees_all:
            found = await page(self.store, BudgetTerms, limit, after)
        else:
            parts = [f"{team}/{kind}" for team in sorted(principal.teams) for kind in ("key", "member", "team")]
            found = await chained(parts, self._part, limit, after)
        accounts = [(await self._account(terms), terms) for terms in found.items]
        return Page(await self.budgets.standings(accounts), found.next)

    async def get(self, principal: Principal, budget_id: str) -> BudgetStanding:
        """One of them. Raises ItemNotFound."""
        owned = await self._owned(principal, budget_id)
        standing = await self.budgets.standing(owned.owner, owned.account)
        if standing is None:
            raise missing("budget", budget_id)
        return standing

    async def set(self, principal: Principal, budget_id: str, wish: BudgetPatch | None) -> BudgetStanding | None:
        """The budget as wished, without a trace of how it was; None removes it.

        Raises:
            InvalidRequest, ItemNotFound, NotPermitted, Conflict
        """
        owned = await self._owned(principal, budget_id)
        if not owned.managed:
            raise NotPermitted("You may see this budget, and not set it: it bounds what you manage.")
        if wish is None and await self.store.get(BudgetTerms, budget_id) is None:
            raise missing("budget", budget_id)
        await apply(self.store, principal, *await self.budgets.change(owned.owner, wish, path=""))
        return await self.budgets.standing(owned.owner, owned.account)

    async def _owned(self, principal: Principal, budget_id: str) -> _Owned:
        kind, _, owner_id = budget_id.partition(":")
        match kind:
            case OwnerKind.TEAM:
                team = await seen_team(self.store, principal, owner_id)
                return _Owned(BudgetOwner(OwnerKind.TEAM, team.id), f"team:{team.id}", principal.changes_all)
            case OwnerKind.USER if principal.sees_all:
                user = await seen_user(self.store, principal, owner_id)
                return _Owned(BudgetOwner(OwnerKind.USER, user.id), f"user:{user.id}", principal.changes_all)
            case OwnerKind.MEMBER:
                team_id, _, user_id = owner_id.partition(":")
                await seen_member(self.store, principal, team_id, user_id)
                managed = principal.manages_team(TeamId(team_id))
                return _Owned(BudgetOwner(OwnerKind.MEMBER, owner_id), f"team:{team_id}", managed)
            case OwnerKind.KEY:
                key = await seen_key(self.store, principal, owner_id)
                return _Owned(key_owner(key), key.account, _sets(principal, key))
            case _:
                raise missing("budget", budget_id)

    async def _account(self, terms: BudgetTerms) -> str:
        """Where it is decided. A key's lies with its tenant."""
        match terms.owner.kind:
            case OwnerKind.KEY:
                key = await self.store.get(VirtualKey, terms.owner.id)
                return terms.owner.budget_id if key is None else key.account
            case OwnerKind.MEMBER:
                return f"team:{terms.owner.id.partition(':')[0]}"
            case _:
                return terms.owner.budget_id

    async def _part(self, part: str, limit: int, after: str | None) -> Page[BudgetTerms]:
        """A page of the budgets of one team: of its keys, of its members, or its own."""
        team, _, kind = part.partition("/")
        match kind:
            case "key":
                keys = await page(self.store, VirtualKey, limit, after, {"team_id": team})
                return Page(await self._of([f"key:{key.id}" for key in keys.items]), keys.next)
            case "member":
                members = await page(self.store, Membership, limit, after, {"team_id": team})
                return Page(await self._of([f"member:{team}:{one.user_id}" for one in members.items]), members.next)
            case _:
                return Page(await self._of([f"team:{team}"]))

    async def _of(self, budget_ids: Sequence[str]) -> tuple[BudgetTerms, ...]:
        found = [await self.store.get(BudgetTerms, budget_id) for budget_id in budget_ids]
        return tuple(terms for terms in found if terms is not None)


def _sets(principal: Principal, key: VirtualKey) -> bool:
    try:
        refuse_foreign_key(principal, key.team_id, key.scope)
    except NotPermitted:
        return False
    return True
