"""Full mode wants a master key, or a key of an admin."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from adapters.outbound.sql.admin_store import SqlAdminStore
from adapters.outbound.sql.schema import upgrade
from adapters.testing.virtual_time import ManualClock
from bootstrap.configuration_error import ConfigurationError
from bootstrap.settings import parse_settings, resolve_mode
from bootstrap.way_in import require_a_way_in
from domain.audit import Change
from domain.tenants import Role, User, UserId
from domain.virtual_key import KeyId, KeyScope, VirtualKey
from tests.servers.databases import opened, own_database

USER = User(UserId("U"), "u@example.org", Role.ADMIN)
KEY = VirtualKey(
    id=KeyId("K"),
    name="k",
    prefix="abcdefgh",
    digest=b"d" * 32,
    created_at_us=0,
    scope=KeyScope.ADMIN,
    user_id=USER.id,
)


def enter(url: str = "", **auth: str) -> None:
    document = {"mode": "full", "redis": {"url": "redis://127.0.0.1:1"}, "database": {"url": url}, "auth": auth}
    if not url:
        document |= {"state": "redis"}
    settings = parse_settings(document, environ={}).settings
    require_a_way_in(settings, resolve_mode(settings, {}))


def has(url: str, user: User = USER, key: VirtualKey = KEY) -> None:
    async def fill() -> None:
        async with opened(url) as engine:
            await upgrade(engine)
            changes = [Change("x", "y:1", None, item) for item in (user, key)]
            await SqlAdminStore(engine, ManualClock()).apply(changes, "test")

    asyncio.run(fill())


@pytest.fixture
def database(postgres_url: str) -> Iterator[str]:
    with asyncio.Runner() as runner:
        own = own_database(postgres_url)
        yield runner.run(own.__aenter__())
        runner.run(own.__aexit__(None, None, None))


def test_lite_mode_and_a_configured_key_need_nothing() -> None:
    enter("postgresql://127.0.0.1:1/x", master_key="k")
    settings = parse_settings({}, environ={}).settings
    require_a_way_in(settings, resolve_mode(settings, {}))


@pytest.mark.parametrize(
    ("url", "why"),
    [("", "no valid key of scope admin"), ("postgresql://127.0.0.1:1/x", "the database does not tell whether")],
)
def test_full_mode_without_any_is_refused(url: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"auth\.master_key: full mode .* MOONGATE_MASTER_KEY.*{why}"):
        enter(url)


def test_a_database_without_tables_has_none(database: str) -> None:
    with pytest.raises(ConfigurationError, match="no valid key of scope admin"):
        enter(database)


def test_an_admin_s_key_is_a_way_in(database: str) -> None:
    has(database)

    enter(database)


@pytest.mark.parametrize(
    ("user", "key"),
    [
        (replace(USER, role=Role.VIEWER), KEY),
        (replace(USER, blocked=True), KEY),
        (USER, replace(KEY, scope=KeyScope.LLM)),
        (USER, replace(KEY, blocked=True)),
        (USER, replace(KEY, revoked_at_us=1)),
        (USER, replace(KEY, expires_at_us=1)),
    ],
    ids=["a viewer", "a blocked user", "an llm key", "a blocked key", "a revoked key", "an expired key"],
)
def test_a_key_that_opens_nothing_is_none(database: str, user: User, key: VirtualKey) -> None:
    has(database, user, key)

    with pytest.raises(ConfigurationError, match="no valid key of scope admin"):
        enter(database)
