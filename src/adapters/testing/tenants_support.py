"""What the contracts of AdminStore, AuditLog and Keyring are about: one small company."""

from dataclasses import dataclass
from typing import Any, TypeVar

from adapters.testing.virtual_time import ManualClock
from application.ports.admin_store import AdminStore
from application.ports.audit_log import AuditLog
from application.ports.deed_log import DeedLog
from application.ports.keyring import Keyring
from domain.audit import AuditEntry, Change
from domain.budget.period import PeriodKind
from domain.budget.terms import BudgetOwner, BudgetTerms, OwnerKind
from domain.limits.key_limits import KeyLimits
from domain.price_override import PriceOverride
from domain.pricing import Prices
from domain.stored import Stored, id_of, noun_of
from domain.tenants import Membership, Role, Team, TeamId, User, UserId
from domain.virtual_key import KeyId, KeyScope, VirtualKey

T = TypeVar("T")
HOSTILE_NAME = "'; DROP TABLE users; -- \" % _ \\ {} $1 :name ключ 🗝"
SECRET = bytes(range(32))

USER = User(UserId("U"), "u@example.org", Role.VIEWER, 5, KeyLimits(1, 2, 3))
OTHER_USER = User(UserId("u"), "U@example.org", Role.ADMIN, blocked=True)
TEAM = Team(
    TeamId("T"),
    HOSTILE_NAME,
    2**53 + 1,
    KeyLimits(max_parallel=7),
    models=frozenset({HOSTILE_NAME, "gpt-4o"}),
    tags=frozenset({"eu", HOSTILE_NAME}),
    routes={"gpt-4o": HOSTILE_NAME, HOSTILE_NAME: "b"},
)
OTHER_TEAM = Team(TeamId("None"), "t", models=frozenset(), blocked=True)
MEMBERSHIP = Membership(USER.id, TEAM.id, Role.TEAM_ADMIN)
KEY = VirtualKey(
    id=KeyId("K"),
    name=HOSTILE_NAME,
    prefix="abcdefgh",
    digest=SECRET,
    created_at_us=2**53 + 1,
    scope=KeyScope.ADMIN,
    user_id=USER.id,
    team_id=TEAM.id,
    models=frozenset({"gpt-4o"}),
    tags=frozenset({"gpu"}),
    routes={"a": "b"},
    limits=KeyLimits(10, 10**11, None),
    expires_at_us=2**53 + 3,
)
PLAIN_KEY = VirtualKey(id=KeyId("k"), name="k", prefix="ABCDEFGH", digest=b"\0" * 32, created_at_us=0)
PRICE = PriceOverride("openai", HOSTILE_NAME, 7, Prices(10**15, 0, 3, 10**15))
COMPANY: tuple[Stored, ...] = (USER, OTHER_USER, TEAM, OTHER_TEAM, MEMBERSHIP, KEY, PLAIN_KEY, PRICE)


def budget(kind: OwnerKind, owner_id: str, amount_nano: int = 2**53 - 8 * 10**12) -> BudgetTerms:
    """A budget in which nothing is as it is by default."""
    return BudgetTerms(BudgetOwner(kind, owner_id), amount_nano, PeriodKind.WEEKLY, "Europe/Kyiv", hard=False)


@dataclass(frozen=True)
class Tenants:
    """One process's view of what is stored."""

    store: AdminStore
    log: AuditLog
    keyring: Keyring
    clock: ManualClock
    deeds: DeedLog

    async def add(self, *items: Stored) -> None:
        """In one transaction."""
        await self.store.apply([added(item) for item in items], "tester")

    async def change(self, *changes: Change[Any]) -> list[AuditEntry]:
        """In one transaction."""
        return list(await self.store.apply(changes, "tester"))

    async def all(self, kind: type[T]) -> list[T]:
        """Items of that kind, of which there are few."""
        return list((await self.store.page(kind, 1_000)).items)


def target_of(item: Stored) -> str:
    """As the use cases name it."""
    return f"{noun_of(type(item))}:{id_of(item)}"


def added(item: Stored) -> Change[Any]:
    """That it be there."""
    return Change(f"{noun_of(type(item))}.create", target_of(item), None, item)


def replaced(before: Stored, after: Stored) -> Change[Any]:
    """That it be another."""
    return Change(f"{noun_of(type(after))}.update", target_of(after), before, after)


def removed(item: Stored) -> Change[Any]:
    """That it be gone."""
    return Change(f"{noun_of(type(item))}.delete", target_of(item), item, None)
