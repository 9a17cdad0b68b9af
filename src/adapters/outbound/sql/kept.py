from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.outbound.sql.failures import writing
from adapters.outbound.sql.tables import METADATA
from application.ports.kept import Kept
from domain.tenants import check_name

_KEPT = METADATA.tables["kept"]


class SqlKept:
    """Values in a table."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert
        self._propose = insert(_KEPT).on_conflict_do_nothing()

    async def first(self, name: str, proposal: bytes) -> bytes:
        check_name(name, "name")
        async with writing(self._engine) as connection:
            # Waits for whoever is about to write it; the next statement sees what that one wrote.
            await connection.execute(self._propose, {"name": name, "value": proposal})
            return bytes((await connection.execute(select(_KEPT.c.value).where(_KEPT.c.name == name))).scalar_one())


_conforms: type[Kept] = SqlKept
