"""A gateway with a small company in it, in memory: what the admin API is tried on."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from adapters.inbound.http.admin.audit import audit_routes
from adapters.inbound.http.admin.blueprint import AdminApi
from adapters.inbound.http.admin.budgets import budget_routes
from adapters.inbound.http.admin.dead_letters import dead_letter_routes
from adapters.inbound.http.admin.events import event_routes
from adapters.inbound.http.admin.keys import key_routes
from adapters.inbound.http.admin.limits import limit_routes
from adapters.inbound.http.admin.members import member_routes
from adapters.inbound.http.admin.prices import price_routes
from adapters.inbound.http.admin.route import AnyRoute
from adapters.inbound.http.admin.teams import team_routes
from adapters.inbound.http.admin.usage import usage_routes
from adapters.inbound.http.admin.users import user_routes
from adapters.outbound.memory.admin_store import MemoryAdminStore
from adapters.outbound.memory.audit_log import MemoryAuditLog
from adapters.outbound.memory.budget import MemoryBudgets
from adapters.outbound.memory.catalog_source import MemoryCatalogSource
from adapters.outbound.memory.deed_log import MemoryDeedLog
from adapters.outbound.memory.event_history import MemoryEventHistory
from adapters.outbound.memory.ledger import MemoryLedger
from adapters.outbound.memory.tenants import MemoryTenants
from adapters.outbound.memory.usage_reports import MemoryUsageReports
from adapters.outbound.memory.usage_stream import MemoryUsageStream
from adapters.testing.virtual_time import ManualClock
from application.administration.budget_standing import BudgetStandings
from application.administration.noting import Noting
from application.degrading.store_failure import OnStoreFailure
from application.errors import StateUnavailable
from application.ports.admin_store import AdminStore
from application.ports.budget import Budgets
from application.ports.ledger import Spent
from application.ports.usage_reports import UsageReports
from application.ports.usage_stream import UsageStream
from application.use_cases.admin.audit import ReadAudit
from application.use_cases.admin.budget_changes import OwnedBudgets
from application.use_cases.admin.budgets import AllBudgets
from application.use_cases.admin.dead_letters import AdministerDeadLetters
from application.use_cases.admin.find_principal import FindPrincipal
from application.use_cases.admin.keys import Keys
from application.use_cases.admin.members import Members
from application.use_cases.admin.prices import AllPrices
from application.use_cases.admin.teams import Teams
from application.use_cases.admin.usage import ReadUsage
from application.use_cases.admin.users import Users
from domain.audit import Change
from domain.budget.charge import BudgetId, BudgetPeriod
from domain.budget.terms import BudgetOwner, BudgetTerms, OwnerKind
from domain.catalog import Catalog, Instance, RouterPolicy
from domain.identifiers import InstanceId, ModelName
from domain.keys import digest
from domain.limits.rate_policy import RatePolicy
from domain.price_book import Priced, PriceLayer, Unpriced
from domain.pricing import Prices
from domain.stored import Stored, id_of, noun_of
from domain.tenants import Membership, Role, Team, TeamId, User, UserId
from domain.virtual_key import KeyId, KeyScope, VirtualKey
from tests.integration.http.admin_callers import CallersByName
from tests.integration.http.stubs import StubGateway, every_admin_route, front_door, http_app

PEPPER = b"0123456789abcdef"
NOW = "2026-11-23T12:00:00.000Z"
NOW_US = 1_795_435_200_000_000

PRICED = Instance(InstanceId("a-priced"), ModelName("gpt-4"), "openai", "gpt-4o")
UNPRICED = Instance(InstanceId("b-unpriced"), ModelName("own"), "vllm", "own")


def key(key_id: str, **other: Any) -> VirtualKey:
    secret = digest(PEPPER, f"secret of {key_id}")
    return VirtualKey(id=KeyId(key_id), name=key_id, prefix="abcdefgh", digest=secret, created_at_us=1, **other)


def budget(kind: OwnerKind, owner_id: str) -> BudgetTerms:
    return BudgetTerms(BudgetOwner(kind, owner_id), 50_000_000_000)


OWN, SEEN, FOREIGN = TeamId("t-own"), TeamId("t-seen"), TeamId("t-foreign")
COMPANY: Sequence[Stored] = (
    *(User(UserId(f"u-{role}"), f"{role}@example.org", role) for role in Role),
    User(UserId("u-one"), "one@example.org", Role.VIEWER),
    User(UserId("u-two"), "two@example.org", Role.VIEWER),
    *(Team(team, team[2:]) for team in (OWN, SEEN, FOREIGN)),
    Membership(UserId("u-team-admin"), OWN, Role.TEAM_ADMIN),
    Membership(UserId("u-team-admin"), SEEN),
    Membership(UserId("u-one"), OWN),
    Membership(UserId("u-two"), FOREIGN),
    key("k-own", team_id=OWN),
    key("k-own-one", team_id=OWN, user_id=UserId("u-one")),
    key("k-own-admin", team_id=OWN, user_id=UserId("u-one"), scope=KeyScope.ADMIN),
    key("k-seen", team_id=SEEN),
    key("k-foreign", team_id=FOREIGN),
    key("k-personal", user_id=UserId("u-one")),
    key("k-nobody"),
    *(budget(OwnerKind.TEAM, team) for team in (OWN, SEEN, FOREIGN)),
    *(budget(OwnerKind.KEY, name) for name in ("k-own", "k-own-admin", "k-foreign", "k-personal")),
    *(budget(OwnerKind.MEMBER, name) for name in ("t-own:u-one", "t-foreign:u-two")),
    budget(OwnerKind.USER, "u-one"),
)
"""Two things of everything: one that `team-admin` manages, and one that it does not."""


@dataclass(frozen=True)
class _Limits:
    policy: RatePolicy
    enabled: bool = True
    failure_policy: OnStoreFailure = OnStoreFailure.DEGRADE


@dataclass
class StubLedger:
    nano: dict[str, int] = field(default_factory=dict)
    away: bool = False

    async def spent(self, periods: Sequence[BudgetPeriod], among: Sequence[str]) -> Spent:
        if self.away:
            raise StateUnavailable("the database is away")
        assert not among
        return Spent({BudgetId(of.budget): self.nano.get(of.budget, 0) for of in periods}, {})


@dataclass
class CountingSecrets:
    chance: Random = field(default_factory=lambda: Random(7))

    def secret_bits(self, count: int) -> int:
        return self.chance.getrandbits(count)


@dataclass
class World:
    """The use cases, and what is below them. `store` and `budgets` can be replaced before the first request."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW_US))
    tenants: MemoryTenants = field(default_factory=MemoryTenants)
    ledger: StubLedger = field(default_factory=StubLedger)
    records: MemoryLedger = field(default_factory=MemoryLedger)
    store: AdminStore = field(init=False)
    budgets: Budgets = field(init=False)
    reports: UsageReports = field(init=False)
    stream: UsageStream = field(init=False)
    history: MemoryEventHistory = field(init=False)
    rate_policy: RatePolicy = field(default_factory=RatePolicy)

    def __post_init__(self) -> None:
        self.store = MemoryAdminStore(self.tenants, self.clock)
        self.budgets = MemoryBudgets(self.clock)
        self.reports = MemoryUsageReports(self.records)
        self.stream = MemoryUsageStream(self.clock)
        self.history = MemoryEventHistory(self.clock)

    async def settle_in(self) -> "World":
        changes = [Change("test.create", f"{noun_of(type(item))}:{id_of(item)}", None, item) for item in COMPANY]
        await self.store.apply(changes, "test")
        self.tenants.log.clear()
        return self

    def routes(self) -> tuple[AnyRoute, ...]:
        store, clock, secrets = self.store, self.clock, CountingSecrets()
        owned = OwnedBudgets(store, BudgetStandings(self.budgets, self.ledger, clock))  # type: ignore[arg-type]
        catalog = Catalog({ModelName("gpt-4"): (PRICED,), ModelName("own"): (UNPRICED,)})
        source = MemoryCatalogSource(catalog, RouterPolicy())
        return (
            *key_routes(Keys(store, owned, clock, secrets, pepper)),
            *team_routes(Teams(store, owned, clock, secrets)),
            *member_routes(Members(store, owned)),
            *user_routes(Users(store, owned, clock, secrets)),
            *budget_routes(AllBudgets(store, owned)),
            *audit_routes(ReadAudit(store, MemoryAuditLog(self.tenants))),
            *price_routes(AllPrices(store, source, price_of, clock)),
            *usage_routes(ReadUsage(self.reports)),
            *dead_letter_routes(AdministerDeadLetters(self.stream, Noting(MemoryDeedLog(self.tenants, clock)))),
            *event_routes(self.history),
            *limit_routes(lambda: _Limits(self.rate_policy)),
        )

    def client(self, credential: str = "admin") -> "Client":
        door = replace(front_door(), authenticator=CallersByName())
        app = http_app(door=door, admin=AdminApi(FindPrincipal(self.store), self.routes()))
        return Client(app.test_client(), credential)


async def pepper() -> bytes:
    return PEPPER


def price_of(instance: Instance) -> Priced | Unpriced:
    if instance is PRICED:
        return Priced(Prices(2_500_000_000, 10_000_000_000), PriceLayer.SHIPPED, "2026-11-01", "gpt-4o")
    return Unpriced(instance.provider, instance.upstream_model)


@dataclass(frozen=True)
class Reply:
    status: int
    text: str
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def error(self) -> tuple[int, str, str | None]:
        """Status, code and param."""
        told = self.json["error"]
        return self.status, told["code"], told["param"]


@dataclass(frozen=True)
class Client:
    """Sends requests below `/admin/v1` as one caller."""

    client: Any
    credential: str

    async def __call__(self, method: str, path: str, body: object = None) -> Reply:
        ask = getattr(self.client, method.lower())
        data = {} if body is None else {"data": json.dumps(body)}
        answer = await ask(f"/admin/v1{path}", headers={"x-api-key": self.credential}, **data)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(answer.status_code, await answer.get_data(as_text=True), headers)

    def as_(self, credential: str) -> "Client":
        """The same gateway, and another caller."""
        return replace(self, credential=credential)


async def world_client(credential: str = "admin") -> Client:
    return (await World().settle_in()).client(credential)


def whole_table() -> tuple[AnyRoute, ...]:
    """Every route of the admin API."""
    return (*every_admin_route(StubGateway()), *World().routes())
