"""The stores that gateways share, opened as the mode asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.outbound.sql.connection import SqlDatabase
from application.ports.store_probe import StoreProbe
from bootstrap.configuration_error import ConfigurationError
from bootstrap.settings import Mode, Settings, names_postgres


@dataclass(frozen=True, slots=True)
class Stores:
    """What was opened; None for what this mode does without."""

    database: SqlDatabase | None = None
    probes: Mapping[str, StoreProbe] = field(default_factory=dict)

    async def aclose(self) -> None:
        """Closes all of them."""
        if self.database is not None:
            await self.database.aclose()


def open_stores(settings: Settings, mode: str) -> Stores:
    """The stores of `mode`: none in lite mode, which never connects. Nothing is connected here yet.

    Raises:
        ConfigurationError: A URL can't be used.
    """
    url = settings.database.url.get_secret_value()
    if mode != Mode.FULL or not names_postgres(url):
        return Stores()
    try:
        database = SqlDatabase(url)
    except ValueError as error:
        raise ConfigurationError([f"database.url: {error}"]) from error
    return Stores(database, {"database": database})
