"""The migrations, on SQLite and on a real Postgres."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.outbound.sql import schema
from adapters.outbound.sql.schema import NewerSchema, missing, revision, upgrade
from adapters.outbound.sql.tables import METADATA
from application.errors import StateUnavailable
from tests.servers.databases import opened, own_database

APPLIED = [
    "0001: The tables of users, teams, keys, budgets, prices, usage and audit.",
    "0002: Prices of units, beside those of tokens.",
]
TABLES = set(METADATA.tables) | {"alembic_version"}


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'data.db'}"
        return
    async with own_database(request.getfixturevalue("postgres_url")) as made:
        yield made


@pytest.fixture
async def engine(url: str) -> AsyncIterator[AsyncEngine]:
    async with opened(url) as made:
        yield made


async def tables_of(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        return set(await connection.run_sync(lambda found: inspect(found).get_table_names()))


async def test_an_empty_database_gets_every_table_and_a_second_time_nothing(engine: AsyncEngine) -> None:
    before = await missing(engine)

    applied = await upgrade(engine)

    assert await tables_of(engine) == TABLES
    assert list(applied) == list(before) == APPLIED
    assert (list(await missing(engine)), list(await upgrade(engine))) == ([], [])


async def test_revision_is_that_of_the_latest_migration_and_none_before_the_first(engine: AsyncEngine) -> None:
    before = await revision(engine)

    await upgrade(engine)

    assert (before, await revision(engine)) == (None, "0002")


async def test_revision_of_a_database_that_is_away_is_not_available() -> None:
    async with opened("postgresql://127.0.0.1:1/none") as engine:
        with pytest.raises(StateUnavailable):
            await revision(engine)


async def test_the_migrations_make_exactly_the_tables_that_the_code_reads(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, METADATA))

    await upgrade(engine)

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_prices_of_the_version_before_have_no_price_of_units_and_it_may_go_on_setting_them(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = "id, provider, model, effective_at_us, input_nano, output_nano"
    price = f"INSERT INTO prices ({columns}) VALUES (:id, '', '', 0, 1, 2)"
    with monkeypatch.context() as patched:
        whole = command.upgrade
        patched.setattr(command, "upgrade", lambda config, _: whole(config, "0001"))
        await upgrade(engine)
    for name in ("before", "after"):
        async with engine.begin() as connection:
            await connection.execute(text(price), {"id": name})
        await upgrade(engine)

    async with engine.connect() as connection:
        found = await connection.execute(text("SELECT id, input_nano, unit_nano FROM prices ORDER BY id"))
        assert [tuple(row) for row in found] == [("after", 1, 0), ("before", 1, 0)]


async def test_postgres_sorts_ids_by_code_points_whatever_its_language(postgres_url: str) -> None:
    ids = text("SELECT table_name, collation_name FROM information_schema.columns WHERE column_name = 'id'")
    async with own_database(postgres_url) as url, opened(url) as engine:
        await upgrade(engine)
        async with engine.connect() as connection:
            found = {table: collation for table, collation in await connection.execute(ids) if table in TABLES}

    sorted_by_ids = {"users", "teams", "memberships", "virtual_keys", "budgets", "prices"}
    assert {table: found[table] for table in sorted_by_ids} == dict.fromkeys(sorted_by_ids, "C")


async def test_gateways_that_start_together_upgrade_once(url: str) -> None:
    async def start() -> list[str]:
        async with opened(url) as engine:
            return list(await upgrade(engine))

    applied = await asyncio.gather(*(start() for _ in range(4)))

    assert sorted(map(len, applied)) == [0, 0, 0, len(APPLIED)]


async def test_an_upgrade_that_breaks_off_changes_nothing(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Exception):
        pass

    def half_way(connection: Connection) -> list[str]:
        connection.execute(text("CREATE TABLE half (id INTEGER)"))
        raise Broken

    with monkeypatch.context() as patched:
        patched.setattr(schema, "_upgrade", half_way)
        with pytest.raises(Broken):
            await upgrade(engine)

    assert await tables_of(engine) == set()
    await upgrade(engine)
    assert await tables_of(engine) == TABLES


async def test_a_database_of_a_later_version_is_left_alone_and_named(engine: AsyncEngine) -> None:
    await upgrade(engine)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    for ask in (missing, upgrade):
        with pytest.raises(NewerSchema, match="the database is at '9999', which this version does not know"):
            await ask(engine)


async def test_an_attempt_is_written_once_and_a_membership_needs_its_team(engine: AsyncEngine) -> None:
    row = (
        "INSERT INTO ledger (request_id, attempt, at_us, outcome, account, model_asked,"
        " method, path, stream, input_tokens, output_tokens, cached_input_tokens, estimated, cost_nano, tags,"
        " cache_hit, first)"
        " VALUES ('r', 1, 9007199254740993, 'success', 'a', 'm', 'POST', '/v1', false, 1, 1, 0, false,"
        " 9007199254740993, '[]', false, true)"
    )
    orphan = "INSERT INTO memberships (id, team_id, user_id, role) VALUES ('T:U', 'T', 'U', 'viewer')"
    await upgrade(engine)
    async with engine.begin() as connection:
        await connection.execute(text(row))
        stored = (await connection.execute(text("SELECT at_us, cost_nano FROM ledger"))).one()

    assert tuple(stored) == (9007199254740993, 9007199254740993)
    for refused in (row, orphan):
        with pytest.raises((IntegrityError, ProgrammingError)):
            async with engine.begin() as connection:
                await connection.execute(text(refused))
