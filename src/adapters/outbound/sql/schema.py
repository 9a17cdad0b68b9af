"""Brings a database to the tables of this version."""

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.outbound.sql.failures import reading

if TYPE_CHECKING:
    from collections.abc import Sequence

_MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK = 0x6D67_7363_6865_6D61


class SchemaError(Exception):
    """The database can't be brought to this version. One line says why."""


class NewerSchema(SchemaError):
    """The database was upgraded by a later version: this one does not know its tables."""


async def upgrade(engine: AsyncEngine) -> "Sequence[str]":
    """Applies what is missing, all of it or nothing, and answers with the names of the migrations applied.

    Gateways that start together take turns: the second finds nothing left to do.

    Raises:
        NewerSchema: The database is ahead of this version.
        SchemaError: It does not answer, or refuses.
    """
    try:
        return await _upgrade_alone(engine)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        # Of the driver's words the first line: the rest is the statement, or a link to documentation.
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0] or "no answer in time"
        raise SchemaError(f"the database can't be upgraded: {reason}") from error


async def _upgrade_alone(engine: AsyncEngine) -> "Sequence[str]":
    async with engine.connect() as connection:
        # One transaction holds the lock, the changes and the note of them; whoever dies inside it has changed nothing.
        if engine.dialect.name == "sqlite":
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        applied = await connection.run_sync(_upgrade)
        await connection.commit()
        return applied


async def missing(engine: AsyncEngine) -> "Sequence[str]":
    """The migrations that are not applied yet; changes nothing. Raises as `upgrade`."""
    async with engine.connect() as connection:
        return await connection.run_sync(_missing)


async def revision(engine: AsyncEngine) -> str | None:
    """The migration that the tables are at; None where there are none yet. Raises StateUnavailable."""
    async with reading(engine) as connection:
        return await connection.run_sync(lambda found: MigrationContext.configure(found).get_current_revision())


def _upgrade(connection: Connection) -> "Sequence[str]":
    names = _missing(connection)
    if names:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return names


def _missing(connection: Connection) -> "Sequence[str]":
    current = MigrationContext.configure(connection).get_current_revision()
    script = ScriptDirectory.from_config(_config())
    try:
        revisions = list(script.iterate_revisions("head", current or "base"))
    except (CommandError, RevisionError) as error:
        raise NewerSchema(
            f"the database is at {current!r}, which this version does not know: upgrade Moongate"
        ) from error
    return [f"{revision.revision}: {revision.doc}" for revision in reversed(revisions)]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
