"""Changes of two gateways at once, where one of them is slow. On a real Postgres, and on a SQLite file."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.outbound.sql.audit_log import SqlAuditLog
from adapters.outbound.sql.failures import writing
from adapters.outbound.sql.kept import SqlKept
from adapters.outbound.sql.schema import upgrade
from adapters.testing.tenants_support import TEAM, USER, Tenants, removed, replaced
from application.ports.admin_store import ChangedMeanwhile
from domain.tenants import User
from tests.contract.tenant_stores import tenants_on
from tests.servers.databases import opened, own_database

WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
PATIENCE_S = 10.0


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    async with own_database(postgres_url) as url, opened(url) as engine:
        await upgrade(engine)
        yield engine


@pytest.fixture
async def tenants(postgres: AsyncEngine) -> Tenants:
    made = tenants_on(postgres)
    await made.add(USER)
    return made


async def until_somebody_waits(engine: AsyncEngine) -> None:
    async with asyncio.timeout(PATIENCE_S), engine.connect() as connection:
        while (await connection.execute(WAITING)).scalar() != 1:
            # Within a transaction the first look at the statistics is kept.
            await connection.rollback()


async def test_who_follows_the_log_sees_the_slow_change_before_the_quick_one(
    tenants: Tenants, postgres: AsyncEngine
) -> None:
    log = SqlAuditLog(postgres)
    async with writing(postgres) as slow:
        await slow.execute(text("UPDATE counters SET value = value + 1 WHERE name = 'revision'"))
        await slow.execute(
            text("INSERT INTO audit_log (revision, at_us, actor, action, target) VALUES (2,0,'a','s','t')")
        )
        quick = asyncio.create_task(tenants.add(TEAM))
        await until_somebody_waits(postgres)

        assert [entry.revision for entry in await log.since(0, 10)] == [1]
        assert await log.latest() == 1
    await quick

    assert [(entry.revision, entry.action) for entry in await log.since(1, 10)] == [(2, "s"), (3, "team.create")]


async def test_a_change_that_is_given_up_leaves_no_gap(tenants: Tenants, postgres: AsyncEngine) -> None:
    async with postgres.connect() as slow:
        await slow.execute(text("UPDATE counters SET value = value + 1 WHERE name = 'revision'"))
        quick = asyncio.create_task(tenants.add(TEAM))
        await until_somebody_waits(postgres)
        await slow.rollback()
    await quick

    assert [entry.revision for entry in await tenants.log.since(0, 10)] == [1, 2]


async def test_what_a_slow_change_has_changed_is_seen_by_who_waited_for_it(
    tenants: Tenants, postgres: AsyncEngine
) -> None:
    async with writing(postgres) as slow:
        await slow.execute(text("UPDATE counters SET value = value + 1 WHERE name = 'revision'"))
        await slow.execute(text("UPDATE users SET blocked = true"))
        quick = asyncio.create_task(tenants.change(replaced(USER, replace(USER, email="new@example.org"))))
        await until_somebody_waits(postgres)

    with pytest.raises(ChangedMeanwhile):
        await quick
    assert await tenants.all(User) == [replace(USER, blocked=True)]


async def test_who_gives_up_waiting_has_changed_nothing_and_holds_nothing(
    tenants: Tenants, postgres: AsyncEngine
) -> None:
    async with writing(postgres) as slow:
        await slow.execute(text("UPDATE counters SET value = value + 1 WHERE name = 'revision'"))
        quick = asyncio.create_task(tenants.add(TEAM))
        await until_somebody_waits(postgres)
        quick.cancel()
        with pytest.raises(asyncio.CancelledError):
            await quick

    await tenants.change(removed(USER))
    assert [entry.revision for entry in await tenants.log.since(0, 10)] == [1, 3]


async def test_who_proposes_a_value_waits_for_who_is_about_to_write_one(postgres: AsyncEngine) -> None:
    async with writing(postgres) as slow:
        await slow.execute(text("INSERT INTO kept (name, value) VALUES ('pepper', '\\x01')"))
        quick = asyncio.create_task(SqlKept(postgres).first("pepper", b"\2"))
        await until_somebody_waits(postgres)

    assert await quick == b"\1"


async def test_a_change_of_sqlite_reads_nothing_before_the_other_one_is_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    async with opened(url) as one, opened(url) as other:
        await upgrade(one)
        await tenants_on(one).add(USER)
        async with writing(one) as slow:
            await slow.execute(text("UPDATE users SET blocked = true"))
            quick = asyncio.create_task(tenants_on(other).change(removed(USER)))
            # It can't get further, however long it is given.
            assert not (await asyncio.wait({quick}, timeout=0.05))[0]

        with pytest.raises(ChangedMeanwhile):
            await quick
