"""Virtual keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import Listing, NoFields, PageQuery, Patch, Schema, left_out
from adapters.inbound.http.admin.tenant_schemas import (
    BudgetChange,
    BudgetIn,
    BudgetOut,
    LimitsIn,
    LimitsOut,
    settings_of,
)
from adapters.inbound.http.admin.wire import ItemId, Names, NamesByName, TimeIn, TimeOut
from application.use_cases.admin.keys import KeyDetail, KeyOwners, Keys, NewKey
from application.use_cases.admin.patches import KeyPatch
from domain.keys import KEY_PREFIX
from domain.principal import Permission
from domain.virtual_key import KeyScope, VirtualKey

_OWNERS = frozenset({"scope", "team_id", "user_id"})


class KeyIn(Patch):
    """A key to be created: of a team, of a user, of a user inside a team, or of nobody."""

    name: str
    scope: KeyScope = KeyScope.LLM
    team_id: ItemId | None = None
    user_id: ItemId | None = None
    models: Names | None = None
    tags: Names | None = None
    routes: NamesByName | None = None
    limits: LimitsIn | None = None
    budget: BudgetIn | None = None
    expires_at: TimeIn | None = None
    blocked: bool = False


class KeyChange(Patch):
    """What is to be different about a key."""

    name: str = left_out()
    models: Names | None = None
    tags: Names | None = None
    routes: NamesByName | None = None
    limits: LimitsIn | None = None
    budget: BudgetChange | None = None
    expires_at: TimeIn | None = None
    blocked: bool = left_out()


class KeyShown(Schema):
    """A key without its secret. `models` null: all."""

    id: str
    name: str
    prefix: str
    scope: KeyScope
    team_id: str | None
    user_id: str | None
    models: Sequence[str] | None
    tags: Sequence[str]
    routes: dict[str, str]
    limits: LimitsOut
    blocked: bool
    created_at: TimeOut
    expires_at: TimeOut | None
    revoked_at: TimeOut | None


class KeyWithBudget(KeyShown):
    """A key and how its own budget stands."""

    budget: BudgetOut | None


class KeyWithSecret(KeyWithBudget):
    """A key and its secret, which is shown this once."""

    key: str


class KeyList(Listing[KeyShown]):
    """Keys in the order in which they were created."""


class KeyQuery(PageQuery):
    """Which keys."""

    team_id: str | None = None
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Handlers:
    keys: Keys

    async def every(self, asked: Asked[NoFields, KeyQuery]) -> KeyList:
        query = asked.query
        page = await self.keys.list(asked.principal, query.limit, query.after, query.team_id, query.user_id)
        return KeyList(data=[KeyShown(**_fields(key)) for key in page.items], next=page.next)

    async def create(self, asked: Asked[KeyIn, NoFields]) -> KeyWithSecret:
        body = asked.body
        owners = KeyOwners(body.scope, body.team_id, body.user_id)
        return _with_secret(await self.keys.create(asked.principal, owners, KeyPatch(**settings_of(body, _OWNERS))))

    async def one(self, asked: Asked[NoFields, NoFields]) -> KeyWithBudget:
        return _with_budget(await self.keys.get(asked.principal, asked.path["key_id"]))

    async def change(self, asked: Asked[KeyChange, NoFields]) -> KeyWithBudget:
        patch = KeyPatch(**settings_of(asked.body))
        return _with_budget(await self.keys.change(asked.principal, asked.path["key_id"], patch))

    async def rotate(self, asked: Asked[NoFields, NoFields]) -> KeyWithSecret:
        return _with_secret(await self.keys.rotate(asked.principal, asked.path["key_id"]))

    async def revoke(self, asked: Asked[NoFields, NoFields]) -> None:
        await self.keys.revoke(asked.principal, asked.path["key_id"])


def key_routes(keys: Keys) -> tuple[AnyRoute, ...]:
    """`/keys`, `/keys/{key_id}` and `/keys/{key_id}/rotate`."""
    h = _Handlers(keys)
    see, change = Permission.SEE_TENANTS, Permission.CHANGE_TENANTS
    return (
        Route(Method.GET, "/keys", see, "Keys, revoked ones too", h.every, KeyList, query=KeyQuery),
        Route(
            Method.POST,
            "/keys",
            change,
            "Create a key; its secret is shown once",
            h.create,
            KeyWithSecret,
            request=KeyIn,
            status=201,
        ),
        Route(Method.GET, "/keys/{key_id}", see, "A key and how its budget stands", h.one, KeyWithBudget),
        Route(Method.PATCH, "/keys/{key_id}", change, "Change a key", h.change, KeyWithBudget, request=KeyChange),
        Route(
            Method.POST, "/keys/{key_id}/rotate", change, "Give a key another secret, at once", h.rotate, KeyWithSecret
        ),
        Route(
            Method.DELETE,
            "/keys/{key_id}",
            change,
            "Revoke a key for ever; it stays listed",
            h.revoke,
            None,
            status=204,
        ),
    )


def _fields(key: VirtualKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "prefix": KEY_PREFIX + key.prefix,
        "scope": key.scope,
        "team_id": key.team_id,
        "user_id": key.user_id,
        "models": None if key.models is None else sorted(key.models),
        "tags": sorted(key.tags),
        "routes": dict(key.routes),
        "limits": LimitsOut.of(key.limits),
        "blocked": key.blocked,
        "created_at": key.created_at_us,
        "expires_at": key.expires_at_us,
        "revoked_at": key.revoked_at_us,
    }


def _with_budget(detail: KeyDetail) -> KeyWithBudget:
    return KeyWithBudget(**_fields(detail.key), budget=BudgetOut.of(detail.budget))


def _with_secret(new: NewKey) -> KeyWithSecret:
    detail = new.detail
    return KeyWithSecret(**_fields(detail.key), budget=BudgetOut.of(detail.budget), key=new.secret.text)
