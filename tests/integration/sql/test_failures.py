"""What is unavailable and what is wrong, of real databases."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.outbound.sql.connection import open_engine
from adapters.outbound.sql.failures import away_is_unavailable, reading, writing
from adapters.outbound.sql.limits import Limits
from application.errors import StateUnavailable

HASTY = Limits(connections=1, pool_wait_us=1_000, command_us=50_000)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(url, HASTY)
    try:
        yield engine
    finally:
        await engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    is_file = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/a.db" if is_file else request.getfixturevalue("postgres_url")
    async with opened(url) as made:
        yield made


async def numbers_in(connection: AsyncConnection) -> list[int]:
    return [row[0] for row in await connection.execute(text("SELECT n FROM failing"))]


@pytest.mark.parametrize(
    "url",
    ["postgresql://127.0.0.1:1/none", "postgresql:///none?host=/nowhere", "sqlite:////no/such/folder/a.db"],
)
async def test_database_that_is_not_there_is_unavailable(url: str) -> None:
    async with opened(url) as engine:
        for using in (reading, writing):
            with pytest.raises(StateUnavailable):
                async with using(engine):
                    pass


async def test_postgres_that_gives_up_on_us_is_unavailable(postgres_url: str) -> None:
    async with opened(postgres_url) as engine:
        for statement in ("SELECT pg_sleep(60)", "SELECT pg_terminate_backend(pg_backend_pid())"):
            with pytest.raises(StateUnavailable):
                async with writing(engine) as connection:
                    await connection.execute(text(statement))
        async with reading(engine) as connection:
            with pytest.raises(StateUnavailable):
                async with reading(engine):
                    pass
            assert (await connection.execute(text("SELECT 1"))).scalar() == 1


async def test_sqlite_that_another_one_writes_to_is_unavailable_after_the_wait(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    async with opened(url) as one, opened(url) as other, writing(one):
        with pytest.raises(StateUnavailable):
            async with writing(other):
                pass


async def test_a_transaction_is_kept_at_its_end_and_undone_where_it_breaks_off(engine: AsyncEngine) -> None:
    class Broken(Exception):
        pass

    async with writing(engine) as connection:
        await connection.execute(text("CREATE TEMPORARY TABLE failing (n INTEGER UNIQUE, t TEXT)"))
        await connection.execute(text("INSERT INTO failing (n) VALUES (1)"))
    with suppress(Broken):
        async with writing(engine) as connection:
            await connection.execute(text("INSERT INTO failing (n) VALUES (2)"))
            raise Broken

    async with reading(engine) as connection:
        assert await numbers_in(connection) == [1]


async def test_what_is_wrong_is_not_unavailable(engine: AsyncEngine) -> None:
    async with writing(engine) as connection:
        await connection.execute(text("CREATE TEMPORARY TABLE failing (n INTEGER UNIQUE, t TEXT)"))
        await connection.execute(text("INSERT INTO failing (n) VALUES (1)"))

    with pytest.raises(IntegrityError):
        async with writing(engine) as connection:
            await connection.execute(text("INSERT INTO failing (n) VALUES (1)"))
    with pytest.raises(DBAPIError):
        async with writing(engine) as connection:
            await connection.execute(text("SELECT * FROM nowhere"))


async def test_text_that_postgres_can_not_hold_is_not_unavailable(postgres_url: str) -> None:
    async with opened(postgres_url) as engine:
        for hostile in ("\0", "\udcff"):
            with pytest.raises(DBAPIError):
                async with reading(engine) as connection:
                    await connection.execute(text("SELECT CAST(:t AS TEXT)"), {"t": hostile})


def test_files_and_sockets_that_fail_are_unavailable() -> None:
    for failure in (ConnectionResetError(), TimeoutError()):
        with pytest.raises(StateUnavailable), away_is_unavailable():
            raise failure
