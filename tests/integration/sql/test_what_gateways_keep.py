"""Keys and prices that one process keeps, while another changes them in the database."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from adapters.outbound.memory.kept import MemoryKept
from adapters.outbound.system.secrets import SystemSecrets
from adapters.testing.tenants_support import Tenants
from application.authentication.key_authenticator import KeyAuthenticator
from application.authentication.key_cache import KeyCache
from application.authentication.key_lookup import KeyLookup
from application.authentication.key_pepper import KeyPepper
from application.change_feed import ChangeFeed
from application.current_prices import CurrentPrices
from domain.audit import Change
from domain.budget.terms import BudgetOwner, BudgetTerms, OwnerKind
from domain.catalog import Instance
from domain.identifiers import InstanceId, ModelName
from domain.keys import digest, mint, shown_prefix
from domain.limits.limit import Algorithm
from domain.price_book import PriceList
from domain.price_override import PriceOverride
from domain.pricing import Prices
from domain.tenants import Membership, Role, Team, TeamId, User, UserId
from domain.virtual_key import KeyId, VirtualKey
from tests.contract.tenant_stores import OnPostgres, OnSqlite

PEPPER = "a pepper of more than 16 bytes"
SECRET = mint(1 << 255).text
USER = User(UserId("U"), "u@example.org", Role.VIEWER)
TEAM = Team(TeamId("T"), "search")
MEMBERSHIP = Membership(USER.id, TEAM.id)
KEY = VirtualKey(
    id=KeyId("K"),
    name="ci",
    prefix=shown_prefix(SECRET),
    digest=digest(PEPPER.encode(), SECRET),
    created_at_us=0,
    user_id=USER.id,
    team_id=TEAM.id,
)
BUDGET = BudgetTerms(BudgetOwner(OwnerKind.MEMBER, "T:U"), 7)
GPT = Instance(InstanceId("i"), ModelName("m"), "openai", "gpt")

CLOSING: list[Change[Any]] = [
    Change("key.revoke", "key:K", KEY, replace(KEY, revoked_at_us=1)),
    Change("key.update", "key:K", KEY, replace(KEY, blocked=True)),
    Change("user.update", "user:U", USER, replace(USER, blocked=True)),
    Change("team.update", "team:T", TEAM, replace(TEAM, blocked=True)),
    Change("member.delete", "member:T:U", MEMBERSHIP, None),
]


@dataclass
class Gateway:
    feed: ChangeFeed
    authenticator: KeyAuthenticator
    prices: CurrentPrices

    async def follow(self) -> None:
        await self.feed.catch_up()
        await self.prices.refresh()

    async def budgets(self) -> tuple[BudgetTerms, ...] | None:
        caller = await self.authenticator.authenticate(SECRET)
        return None if caller is None else caller.budgets


def gateway_at(tenants: Tenants) -> Gateway:
    cache = KeyCache(tenants.clock)
    prices = CurrentPrices(PriceList("2026-01-01", {}), None, tenants.store, tenants.clock)
    feed = ChangeFeed(tenants.log, tenants.clock, [cache, prices])
    pepper = KeyPepper(MemoryKept(), SystemSecrets(), PEPPER)
    keys = KeyLookup(tenants.keyring, pepper, cache, feed, Algorithm.SLIDING_WINDOW)
    return Gateway(feed, KeyAuthenticator("mg_master", keys, tenants.clock), prices)


class KeptThings:
    """Wants `tenants` and `elsewhere`, two processes on one database."""

    @pytest.mark.parametrize("change", CLOSING, ids=lambda change: f"{change.action} {change.target}")
    async def test_what_closes_a_key_elsewhere_closes_it_here(
        self, tenants: Tenants, elsewhere: Tenants, change: Change[Any]
    ) -> None:
        await elsewhere.add(USER, TEAM, MEMBERSHIP, KEY)
        gateway = gateway_at(tenants)
        await gateway.follow()
        assert await gateway.budgets() == ()

        await elsewhere.change(change)
        await gateway.follow()

        assert await gateway.budgets() is None

    async def test_a_key_that_nobody_had_opens_when_it_is_made_elsewhere(
        self, tenants: Tenants, elsewhere: Tenants
    ) -> None:
        gateway = gateway_at(tenants)
        await gateway.follow()
        assert await gateway.budgets() is None

        await elsewhere.add(USER, TEAM, MEMBERSHIP, KEY)
        await gateway.follow()

        assert await gateway.budgets() == ()

    async def test_a_budget_that_is_set_elsewhere_counts_here(self, tenants: Tenants, elsewhere: Tenants) -> None:
        await elsewhere.add(USER, TEAM, MEMBERSHIP, KEY)
        gateway = gateway_at(tenants)
        await gateway.follow()
        assert await gateway.budgets() == ()

        await elsewhere.change(Change("budget.create", "budget:member:T:U", None, BUDGET))
        await gateway.follow()

        assert await gateway.budgets() == (BUDGET,)

    async def test_a_price_that_is_set_and_removed_elsewhere_counts_here(
        self, tenants: Tenants, elsewhere: Tenants
    ) -> None:
        gateway = gateway_at(tenants)
        await gateway.follow()
        override = PriceOverride("openai", "gpt", 0, Prices(3, 5))
        found = [gateway.prices.prices(GPT)]

        for before, after in ((None, override), (override, None)):
            await elsewhere.change(Change("price.change", "price:openai/gpt", before, after))
            await gateway.follow()
            found.append(gateway.prices.prices(GPT))

        assert found == [Prices(), Prices(3, 5), Prices()]


class TestOnSqlite(OnSqlite, KeptThings): ...


class TestOnPostgres(OnPostgres, KeptThings): ...
