"""The migrations, on SQLite and on a real Postgres."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.outbound.sql import schema
from adapters.outbound.sql.connection import open_engine
from adapters.outbound.sql.limits import Limits
from adapters.outbound.sql.schema import NewerSchema, missing, upgrade
from adapters.outbound.sql.tables import METADATA

TABLES = set(METADATA.tables) | {"alembic_version"}


@asynccontextmanager
async def own_database(server_url: str) -> AsyncIterator[str]:
    """A database of its own on a Postgres server."""
    name = f"test_{uuid.uuid4().hex}"
    async with opened(server_url) as admin:
        await _alone(admin, f'CREATE DATABASE "{name}"')
        base, question, query = server_url.partition("?")
        try:
            yield f"{base.rpartition('/')[0]}/{name}{question}{query}"
        finally:
            await _alone(admin, f'DROP DATABASE "{name}" WITH (FORCE)')


async def _alone(engine: AsyncEngine, statement: str) -> None:
    """Outside of any transaction."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(statement))


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'data.db'}"
        return
    async with own_database(request.getfixturevalue("postgres_url")) as made:
        yield made


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(url, Limits())
    try:
        yield engine
    finally:
        await engine.dispose()


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
    assert (
        list(applied) == list(before) == ["0001: The tables of users, teams, keys, budgets, prices, usage and audit."]
    )
    assert (list(await missing(engine)), list(await upgrade(engine))) == ([], [])


async def test_the_migrations_make_exactly_the_tables_that_the_code_reads(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, METADATA))

    await upgrade(engine)

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_gateways_that_start_together_upgrade_once(url: str) -> None:
    async def start() -> list[str]:
        async with opened(url) as engine:
            return list(await upgrade(engine))

    applied = await asyncio.gather(*(start() for _ in range(4)))

    assert sorted(map(len, applied)) == [0, 0, 0, 1]


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


async def test_an_attempt_is_written_once_and_a_key_needs_its_team(engine: AsyncEngine) -> None:
    row = (
        "INSERT INTO ledger (request_id, attempt, at_us, outcome, account, model_asked,"
        " method, path, stream, input_tokens, output_tokens, cached_input_tokens, estimated, cost_nano, tags,"
        " cache_hit, first)"
        " VALUES ('r', 1, 9007199254740993, 'success', 'a', 'm', 'POST', '/v1', false, 1, 1, 0, false,"
        " 9007199254740993, '[]', false, true)"
    )
    orphan = (
        "INSERT INTO virtual_keys (id, name, prefix, digest, scope, team_id, tags, created_at_us, blocked)"
        " VALUES ('k', 'n', 'p', '\\x00', 'llm', 'nobody', '[]', 1, false)"
    )
    await upgrade(engine)
    async with engine.begin() as connection:
        await connection.execute(text(row))
        stored = (await connection.execute(text("SELECT at_us, cost_nano FROM ledger"))).one()

    assert tuple(stored) == (9007199254740993, 9007199254740993)
    for refused in (row, orphan):
        with pytest.raises((IntegrityError, ProgrammingError)):
            async with engine.begin() as connection:
                await connection.execute(text(refused))
