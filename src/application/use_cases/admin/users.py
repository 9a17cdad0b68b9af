from collections.abc import Sequence
from dataclasses import dataclass

from application.administration.administering import apply, page
from application.administration.budget_standing import BudgetStanding
from application.administration.chained_pages import chained
from application.administration.patching import UNSET, legal
from application.errors import InvalidRequest, NotPermitted
from application.ports.admin_store import AdminStore
from application.ports.clock import Clock
from application.ports.secrets import Secrets
from application.use_cases.admin.budget_changes import OwnedBudgets
from application.use_cases.admin.patches import UserPatch, revised
from application.use_cases.admin.reach import seen_user
from domain.audit import Change
from domain.budget.terms import BudgetOwner, OwnerKind
from domain.item_ids import item_id
from domain.pages import Page
from domain.principal import Principal
from domain.tenants import Membership, Role, User, UserId

_ID_BITS = 56


@dataclass(frozen=True, slots=True)
class UserDetail:
    """A user and how the budget of its personal keys stands; None too where the caller may not know."""

    user: User
    budget: BudgetStanding | None


@dataclass(frozen=True, slots=True)
class Users:
    """Users. Nobody but an administrator sets anything of theirs: least of all they themselves their role."""

    store: AdminStore
    budgets: OwnedBudgets
    clock: Clock
    secrets: Secrets

    async def create(self, principal: Principal, settings: UserPatch) -> UserDetail:
        """A new user, of the role viewer where none is said. Raises InvalidRequest, NotPermitted, AlreadyExists."""
        _refuse_managers(principal)
        if settings.email is UNSET:
            raise InvalidRequest("email: this field is required.", param="email")
        now_us = self.clock.now_us()
        with legal("email"):
            user_id = item_id("user", now_us, self.secrets.secret_bits(_ID_BITS))
            blank = User(UserId(user_id), settings.email, Role.VIEWER, now_us)
        return await self._set(principal, "user.create", None, revised(blank, settings), settings)

    async def list(self, principal: Principal, limit: int, after: str | None, email: str | None) -> Page[User]:
        """Users in the order in which they were created; the one of that address where one is given."""
        if principal.sees_all:
            return await page(self.store, User, limit, after, {"email": email})
        teams: Sequence[str] = sorted(principal.teams)

        async def of_team(team: str, most: int, inner: str | None) -> Page[User]:
            members = await page(self.store, Membership, most, inner, {"team_id": team})
            earlier = teams[: teams.index(team)]
            found = [await self._first_seen(member.user_id, earlier, email) for member in members.items]
            return Page(tuple(user for user in found if user is not None), members.next)

        return await chained(teams, of_team, limit, after)

    async def get(self, principal: Principal, user_id: str) -> UserDetail:
        """One of them. Raises ItemNotFound."""
        return await self._detail(principal, await seen_user(self.store, principal, user_id))

    async def change(self, principal: Principal, user_id: str, patch: UserPatch) -> UserDetail:
        """The user with other settings. Raises InvalidRequest, ItemNotFound, NotPermitted, AlreadyExists, Conflict."""
        before = await seen_user(self.store, principal, user_id)
        _refuse_managers(principal)
        return await self._set(principal, "user.update", before, revised(before, patch), patch)

    async def delete(self, principal: Principal, user_id: str) -> None:
        """Removes it, its memberships and budgets. Raises ItemNotFound, NotPermitted, Conflict, InUse."""
        before = await seen_user(self.store, principal, user_id)
        _refuse_managers(principal)
        await apply(self.store, principal, Change("user.delete", f"user:{user_id}", before, None))

    async def _first_seen(self, user_id: UserId, earlier: Sequence[str], email: str | None) -> User | None:
        """The user, unless an earlier team has shown it already."""
        for team in earlier:
            if await self.store.get(Membership, f"{team}:{user_id}") is not None:
                return None
        user = await self.store.get(User, user_id)
        return user if user is not None and email in {None, user.email} else None

    async def _set(
        self, principal: Principal, action: str, before: User | None, after: User, patch: UserPatch
    ) -> UserDetail:
        budget = await self.budgets.change(_owner(after), patch.budget)
        changed = Change(action, f"user:{after.id}", before, after)
        await apply(self.store, principal, changed, *budget, unique="email")
        return await self._detail(principal, after)

    async def _detail(self, principal: Principal, user: User) -> UserDetail:
        if not principal.sees_all:
            return UserDetail(user, None)
        return UserDetail(user, await self.budgets.standing(_owner(user), f"user:{user.id}"))


def _owner(user: User) -> BudgetOwner:
    return BudgetOwner(OwnerKind.USER, user.id)


def _refuse_managers(principal: Principal) -> None:
    if not principal.changes_all:
        raise NotPermitted("Users are set by administrators.")
