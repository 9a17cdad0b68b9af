"""Where the database is, and bringing it to this version."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from adapters.outbound.sql.connection import open_engine
from adapters.outbound.sql.limits import Limits
from adapters.outbound.sql.schema import upgrade
from bootstrap.configuration_error import ConfigurationError
from bootstrap.data_directory import prepare_data_directory
from bootstrap.settings import Settings

DATABASE_FILE = "moongate.db"


def database_url(settings: Settings, data_dir: Path) -> str:
    """The configured URL, else that of a file in the data directory, which is made."""
    return settings.database.url.get_secret_value() or file_database_url(data_dir)


def file_database_url(data_dir: Path) -> str:
    """That of the file in the data directory, which is made. Raises ConfigurationError."""
    return f"sqlite:///{prepare_data_directory(data_dir) / DATABASE_FILE}"


def upgrade_database(settings: Settings, data_dir: Path) -> Sequence[str]:
    """Applies the migrations that are missing; their names.

    Raises:
        ConfigurationError: The URL or the data directory can't be used.
        SchemaError: The database can't.
    """
    return asyncio.run(_upgrade(database_url(settings, data_dir)))


async def _upgrade(url: str) -> Sequence[str]:
    try:
        engine = open_engine(url, Limits(connections=1))
    except ValueError as error:
        raise ConfigurationError([f"database.url: {error}"]) from error
    try:
        return await upgrade(engine)
    finally:
        await engine.dispose()
