"""Inserting many rows with few statements."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

# SQLite takes 32,766 values in a statement. Past some hundred rows a longer one is no faster.
_MOST_VALUES = 16_000

_POSTGRES = postgresql.dialect()  # type: ignore[no-untyped-call]


async def insert_rows(
    connection: AsyncConnection, table: Table, rows: Sequence[Sequence[Any]], ending: str
) -> list[Row[Any]]:
    """Inserts rows, in their order, and answers with what was returned.

    `rows` have their values in the order of the table's columns; `ending` is what follows the values in the statement:
    ON CONFLICT, RETURNING.
    """
    if not rows:
        return []
    if connection.dialect.name == "postgresql":
        # A column is one value, an array: the statement is the same for any number of rows, and is parsed once.
        columns = tuple([row[index] for row in rows] for index in range(len(table.columns)))
        result = await connection.exec_driver_sql(_unnesting(table, ending), columns)
        return list(result.all()) if result.returns_rows else []
    returned: list[Row[Any]] = []
    most = _MOST_VALUES // len(table.columns)
    for start in range(0, len(rows), most):
        piece = rows[start : start + most]
        values = tuple(value for row in piece for value in row)
        result = await connection.exec_driver_sql(_listing(table, len(piece), ending), values)
        if result.returns_rows:
            returned.extend(result.all())
    return returned


@lru_cache
def _unnesting(table: Table, ending: str) -> str:
    arrays = ", ".join(
        f"${number}::{column.type.compile(dialect=_POSTGRES)}[]" for number, column in enumerate(table.columns, 1)
    )
    return f"{_into(table)} SELECT * FROM unnest({arrays}) {ending}"  # noqa: S608 - names are ours, values are not in it


@lru_cache
def _listing(table: Table, count: int, ending: str) -> str:
    row = "({})".format(", ".join("?" * len(table.columns)))
    return f"{_into(table)} VALUES {', '.join([row] * count)} {ending}"


def _into(table: Table) -> str:
    return f"INSERT INTO {table.name} ({', '.join(column.name for column in table.columns)})"
