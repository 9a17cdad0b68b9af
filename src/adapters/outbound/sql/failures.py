"""Transactions, and which of a database's failures mean that it is away."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from application.errors import StateUnavailable

# Of the statement or its values, and the same after any wait. Classes of SQLSTATE: cardinality, data,
# constraints, syntax and rights, program limits.
_LASTING_CLASSES = frozenset({"21", "22", "23", "42", "54"})
# Of SQLite: ERROR, TOOBIG, CONSTRAINT, MISMATCH, MISUSE, RANGE.
_LASTING_CODES = frozenset({1, 18, 19, 20, 21, 25})
_PRIMARY_CODE = 0xFF


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection for statements that change nothing. Each of them sees a snapshot of its own.

    Raises:
        StateUnavailable: The database is away, or goes away meanwhile.
    """
    with away_is_unavailable():
        async with engine.connect() as connection:
            yield connection


@asynccontextmanager
async def writing(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection inside a transaction, which is committed at the end, and undone where the block raises.

    SQLite: there is one at a time, from here on. Its driver would begin none before the first change, and what was
    read until then could be old.

    Raises:
        StateUnavailable: The database is away, or goes away meanwhile. Away at the end: it may be committed, or not.
    """
    with away_is_unavailable():
        async with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            await connection.commit()


@contextmanager
def away_is_unavailable() -> Iterator[None]:
    """Raises StateUnavailable in place of whatever a wait, or somebody who looks after the database, could mend.

    What the database refuses for what it is (constraints, illegal values, wrong statements) stays as it was.
    """
    try:
        yield
    except (DBAPIError, PoolTimeout, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        if _is_lasting(error):
            raise
        raise StateUnavailable("the database is not available; try again later") from error


def _is_lasting(error: Exception) -> bool:
    if isinstance(error, IntegrityError):
        return True
    # SQLAlchemy wraps its own wrapping of the driver's error. Values that the driver can't send are a ValueError too.
    origin = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(origin, ValueError) or isinstance(getattr(origin, "__cause__", None), ValueError):
        return True
    if (getattr(origin, "sqlstate", None) or "")[:2] in _LASTING_CLASSES:
        return True
    return getattr(origin, "sqlite_errorcode", 0) & _PRIMARY_CODE in _LASTING_CODES
