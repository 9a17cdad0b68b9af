from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from application.administration.administering import apply, page
from application.administration.budget_standing import BudgetStanding
from application.administration.chained_pages import chained
from application.administration.patching import UNSET, legal
from application.errors import Conflict, InvalidRequest
from application.ports.admin_store import AdminStore
from application.ports.clock import Clock
from application.ports.secrets import Secrets
from application.use_cases.admin.budget_changes import OwnedBudgets, key_owner
from application.use_cases.admin.key_bounds import refuse_way_out
from application.use_cases.admin.patches import KeyPatch, revised
from application.use_cases.admin.reach import managed_key, managed_team, refuse_foreign_key, seen_key
from domain.audit import Change
from domain.item_ids import item_id
from domain.keys import SecretKey, digest, mint, shown_prefix
from domain.pages import Page
from domain.principal import Principal
from domain.tenants import Membership, Team, TeamId, User, UserId
from domain.virtual_key import KeyId, KeyScope, VirtualKey

_ID_BITS = 56
_KEY_BITS = 256


@dataclass(frozen=True, slots=True)
class KeyOwners:
    """Whose a new key is, and what it opens. None of it can be changed later."""

    scope: KeyScope = KeyScope.LLM
    team_id: str | None = None
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class KeyDetail:
    """A key and how its own budget stands."""

    key: VirtualKey
    budget: BudgetStanding | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key whose secret is known for this once."""

    detail: KeyDetail
    secret: SecretKey


@dataclass(frozen=True, slots=True)
class Keys:
    """Virtual keys. `pepper` is what their digests are made with."""

    store: AdminStore
    budgets: OwnedBudgets
    clock: Clock
    secrets: Secrets
    pepper: Callable[[], Awaitable[bytes]]

    async def create(self, principal: Principal, owners: KeyOwners, settings: KeyPatch) -> NewKey:
        """A new key. Raises InvalidRequest, ItemNotFound, NotPermitted."""
        team = None if owners.team_id is None else await self._team_for(principal, owners.team_id)
        refuse_foreign_key(principal, None if team is None else team.id, owners.scope)
        await self._check_user(owners)
        if team is not None:
            self._check_bounds(principal, team, settings)
        secret = mint(self.secrets.secret_bits(_KEY_BITS))
        key = revised(await self._blank(owners, settings, secret), settings)
        changes = [Change("key.create", f"key:{key.id}", None, key)]
        await apply(self.store, principal, *changes, *await self.budgets.change(key_owner(key), settings.budget))
        return NewKey(await self._detail(key), secret)

    async def list(
        self, principal: Principal, limit: int, after: str | None, team_id: str | None, user_id: str | None
    ) -> Page[VirtualKey]:
        """Keys in the order in which they were created, revoked ones too; of that team and user where one is given."""
        if principal.sees_all:
            return await page(self.store, VirtualKey, limit, after, {"team_id": team_id, "user_id": user_id})
        teams = sorted(team for team in principal.teams if team_id in {None, team})

        async def of_team(team: str, most: int, inner: str | None) -> Page[VirtualKey]:
            return await page(self.store, VirtualKey, most, inner, {"team_id": team, "user_id": user_id})

        return await chained(teams, of_team, limit, after)

    async def get(self, principal: Principal, key_id: str) -> KeyDetail:
        """One of them. Raises ItemNotFound."""
        return await self._detail(await seen_key(self.store, principal, key_id))

    async def change(self, principal: Principal, key_id: str, patch: KeyPatch) -> KeyDetail:
        """The key with other settings. Raises InvalidRequest, ItemNotFound, NotPermitted, Conflict."""
        before = await self._living(principal, key_id)
        if before.team_id is not None:
            self._check_bounds(principal, await managed_team(self.store, principal, before.team_id), patch)
        after = revised(before, patch)
        changed = Change("key.update", f"key:{key_id}", before, after)
        await apply(self.store, principal, changed, *await self.budgets.change(key_owner(before), patch.budget))
        return await self._detail(after)

    async def rotate(self, principal: Principal, key_id: str) -> NewKey:
        """The key with another secret; the one before opens nothing any more. Raises as `change`."""
        before = await self._living(principal, key_id)
        secret = mint(self.secrets.secret_bits(_KEY_BITS))
        prefix, hashed = shown_prefix(secret.text), digest(await self.pepper(), secret.text)
        after = replace(before, prefix=prefix, digest=hashed)
        await apply(self.store, principal, Change("key.rotate", f"key:{key_id}", before, after))
        return NewKey(await self._detail(after), secret)

    async def revoke(self, principal: Principal, key_id: str) -> None:
        """The key opens nothing any more, for ever. Once more changes nothing. Raises ItemNotFound, NotPermitted."""
        before = await managed_key(self.store, principal, key_id)
        if before.revoked_at_us is None:
            after = replace(before, revoked_at_us=self.clock.now_us())
            await apply(self.store, principal, Change("key.revoke", f"key:{key_id}", before, after))

    async def _living(self, principal: Principal, key_id: str) -> VirtualKey:
        key = await managed_key(self.store, principal, key_id)
        if key.revoked_at_us is not None:
            raise Conflict("This key is revoked, for ever: create another one.")
        return key

    async def _blank(self, owners: KeyOwners, settings: KeyPatch, secret: SecretKey) -> VirtualKey:
        if settings.name is UNSET:
            raise InvalidRequest("name: this field is required.", param="name")
        now_us = self.clock.now_us()
        hashed = digest(await self.pepper(), secret.text)
        with legal("name"):
            return VirtualKey(
                id=KeyId(item_id("key", now_us, self.secrets.secret_bits(_ID_BITS))),
                name=settings.name,
                prefix=shown_prefix(secret.text),
                digest=hashed,
                created_at_us=now_us,
                scope=owners.scope,
                user_id=None if owners.user_id is None else UserId(owners.user_id),
                team_id=None if owners.team_id is None else TeamId(owners.team_id),
            )

    async def _team_for(self, principal: Principal, team_id: str) -> Team:
        if principal.sees_all and await self.store.get(Team, team_id) is None:
            raise InvalidRequest("team_id: there is no such team.", param="team_id")
        return await managed_team(self.store, principal, team_id)

    async def _check_user(self, owners: KeyOwners) -> None:
        if owners.user_id is None:
            if owners.scope is KeyScope.ADMIN:
                raise InvalidRequest("user_id: a key of scope admin needs a user, whose role it has.", param="user_id")
            return
        if owners.team_id is None:
            if await self.store.get(User, owners.user_id) is None:
                raise InvalidRequest("user_id: there is no such user.", param="user_id")
        elif await self.store.get(Membership, f"{owners.team_id}:{owners.user_id}") is None:
            raise InvalidRequest("user_id: the team has no such member.", param="user_id")

    @staticmethod
    def _check_bounds(principal: Principal, team: Team, patch: KeyPatch) -> None:
        if not principal.changes_all and patch.routes is not UNSET:
            refuse_way_out(team, patch.routes)

    async def _detail(self, key: VirtualKey) -> KeyDetail:
        return KeyDetail(key, await self.budgets.standing(key_owner(key), key.account))
