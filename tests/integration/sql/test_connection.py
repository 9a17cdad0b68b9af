"""Database engines against real databases: addresses, bounds, and databases that hang, die and come back."""

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.outbound.sql.connection import SqlDatabase, open_engine
from adapters.outbound.sql.limits import Limits
from tests.servers.postgres_servers import PostgresServer, postgres

PATIENCE_S = 5.0


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres() as started:
        yield started


async def answer(engine: AsyncEngine, statement: str) -> object:
    async with engine.connect() as connection:
        return (await connection.execute(text(statement))).scalar()


@asynccontextmanager
async def over_tcp(path: Path) -> AsyncIterator[int]:
    """A loopback port that leads to the socket at `path`."""

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            sink.write(data)
        sink.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(str(path))
        await asyncio.gather(pump(reader, back), pump(there, writer))

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


async def until(database: SqlDatabase, *, answers: bool) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await database.ping() is not answers:  # noqa: ASYNC110 - a database tells nobody when it is back
            await asyncio.sleep(0.01)


async def test_postgres_is_reached_through_its_socket(server: PostgresServer) -> None:
    async with aclosing(SqlDatabase(server.url)) as database:
        assert await answer(database.engine, "SELECT current_setting('application_name')") == "moongate"
        assert await answer(database.engine, "SELECT current_setting('TimeZone')") == "UTC"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
@pytest.mark.parametrize("options", ["", "?sslmode=prefer"])
async def test_postgres_is_reached_over_tcp(server: PostgresServer, scheme: str, options: str) -> None:
    async with (
        over_tcp(server.socket) as port,
        aclosing(SqlDatabase(f"{scheme}://postgres:p%40ss@127.0.0.1:{port}/postgres{options}")) as database,
    ):
        assert await answer(database.engine, "SELECT current_database()") == "postgres"


async def test_pool_is_bounded_and_the_wait_for_a_connection_too(server: PostgresServer) -> None:
    engine = open_engine(server.url, Limits(connections=2, pool_wait_us=1_000))
    try:
        async with engine.connect() as one, engine.connect() as two:
            await one.execute(text("SELECT 1"))
            await two.execute(text("SELECT 1"))
            with pytest.raises(PoolTimeout):
                await answer(engine, "SELECT 1")
    finally:
        await engine.dispose()


async def test_database_whose_connections_are_all_busy_still_answers(server: PostgresServer) -> None:
    limits = Limits(connections=1)
    async with aclosing(SqlDatabase(server.url, limits)) as database, database.engine.connect() as busy:
        await busy.execute(text("SELECT 1"))

        assert await database.ping()


async def test_statement_that_takes_too_long_is_ended(server: PostgresServer) -> None:
    engine = open_engine(server.url, Limits(command_us=50_000))
    try:
        with pytest.raises(TimeoutError):
            await answer(engine, "SELECT pg_sleep(60)")
    finally:
        await engine.dispose()


async def test_frozen_postgres_is_noticed_within_the_bound_and_found_again(
    server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    limits = Limits(ping_us=200_000)
    async with aclosing(SqlDatabase(server.url, limits)) as database:
        assert await database.ping()
        server.signal(signal.SIGSTOP)
        try:
            async with asyncio.timeout(1.0):
                assert [await database.ping(), await database.ping()] == [False, False]
        finally:
            server.signal(signal.SIGCONT)
        await until(database, answers=True)

    told = [(record.levelno, record.message) for record in caplog.records if record.name == "moongate.store"]
    assert told == [
        (logging.ERROR, "database is unavailable (no answer in time)"),
        (logging.WARNING, "database is back"),
    ]


async def test_postgres_that_was_killed_is_found_again_by_everybody(server: PostgresServer) -> None:
    async with aclosing(SqlDatabase(server.url)) as database:
        assert await answer(database.engine, "SELECT 1") == 1
        server.kill()
        assert await database.ping() is False

        server.start_again()

        await until(database, answers=True)
        assert await answer(database.engine, "SELECT 1") == 1


async def test_address_that_accepts_and_says_nothing_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"postgresql://u@127.0.0.1:{mute.getsockname()[1]}/x"
        async with asyncio.timeout(PATIENCE_S), aclosing(SqlDatabase(url, Limits(ping_us=100_000))) as database:
            assert await database.ping() is False


async def test_sqlite_is_made_where_it_is_not_and_prepared_for_several_readers(tmp_path: Path) -> None:
    async with aclosing(SqlDatabase(f"sqlite:///{tmp_path}/a.db")) as database:
        assert await answer(database.engine, "PRAGMA journal_mode") == "wal"
        assert await answer(database.engine, "PRAGMA foreign_keys") == 1
        assert await answer(database.engine, "PRAGMA busy_timeout") == 10_000
    assert (tmp_path / "a.db").exists()


@pytest.mark.parametrize(
    "url", ["", "mysql://u:hidden@h/x", "postgresql:hidden", "sqlite:hidden", "sqlite://u:hidden:x:y@[/"]
)
async def test_other_addresses_are_refused_without_repeating_them(url: str) -> None:
    with pytest.raises(ValueError, match="expected a database URL") as refusal:
        SqlDatabase(url)
    assert "hidden" not in str(refusal.value)
