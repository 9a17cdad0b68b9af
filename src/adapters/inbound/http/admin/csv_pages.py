"""A long list as one CSV file, written page by page while it is read."""

import asyncio
import csv
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Annotated, Any, Generic, Literal, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, Field
from quart.wrappers.response import IterableBody

from adapters.inbound.http.admin.schema import PageQuery
from adapters.inbound.http.exchange import Outgoing, incoming
from application.errors import GatewayError
from domain.pages import MOST_ITEMS, Page

CSV = "text/csv"
MOST_ROWS = 100_000
_JSON = "application/json"
_AT_ONCE = 100
# What a spreadsheet takes for the start of a formula, also after white space and in full width.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_CONTROLS = ("\t", "\r", "\n")

_log = logging.getLogger(__name__)

RowT = TypeVar("RowT", bound=BaseModel)


class CsvQuery(PageQuery):
    """Which piece of a list, and how it is written.

    As CSV it is all pages from `after` on, at most 100,000 rows, or `limit` where it is given; a file that ends before
    the list does says so in its last line, which begins with `# incomplete`.
    """

    format: Annotated[
        Literal["json", "csv"] | None, Field(description="Without it, what the header `Accept` prefers.")
    ] = None

    @property
    def wants_csv(self) -> bool:
        """Whether the client asked for CSV, here or by its header `Accept`."""
        if self.format is not None:
            return self.format == "csv"
        return incoming().accept_mimetypes.best_match((_JSON, CSV)) == CSV

    @property
    def most_rows(self) -> int:
        """Of a file."""
        return self.limit if "limit" in self.model_fields_set else MOST_ROWS


@dataclass(frozen=True, slots=True)
class Sheet(Generic[RowT]):
    """A list that can be written as CSV. `fetch` gives a page of rows, of at most so many, after a cursor."""

    name: str
    row: type[RowT]
    fetch: Callable[[int, str | None], Awaitable[Page[RowT]]]

    async def answer(self, query: CsvQuery) -> Outgoing:
        """The file. What is wrong with the first page is raised; what goes wrong later is told in the file."""
        most = query.most_rows
        first = await self.fetch(min(most, MOST_ITEMS), query.after)
        headers = (
            ("content-type", f"{CSV}; charset=utf-8; header=present"),
            ("content-disposition", f'attachment; filename="{self.name}.csv"'),
            ("cache-control", "no-store"),
        )
        return Outgoing(200, headers, IterableBody(self._written(first, most)))

    async def _written(self, first: Page[RowT], most: int) -> AsyncGenerator[bytes, None]:
        yield _lines([tuple(self.row.model_fields)])
        page: Page[RowT] | None = first
        written = 0
        while page is not None:
            for start in range(0, len(page.items), _AT_ONCE):
                yield _lines([_cells(row) for row in page.items[start : start + _AT_ONCE]])
                # The requests beside it go on.
                await asyncio.sleep(0)
            written += len(page.items)
            if page.next is None:
                return
            after = page.next
            page, why = await self._next(after, written, most)
            if why:
                yield _lines([(f"# incomplete: {why}; the rest is what comes after={quote(after, safe='')}",)])

    async def _next(self, after: str, written: int, most: int) -> tuple[Page[RowT] | None, str]:
        """The next page; or none, and why not."""
        if written >= most:
            return None, f"{written} rows"
        try:
            return await self.fetch(min(most - written, MOST_ITEMS), after), ""
        except GatewayError as error:
            _log.warning("the file %s breaks off after %d rows: %s", self.name, written, error)
            return None, f"{written} rows, then: {error.message}"


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8", "backslashreplace")


def _cells(row: BaseModel) -> list[str]:
    return [_cell(value) for value in row.model_dump(mode="json").values()]


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return harmless(value)
        case list():
            return harmless(";".join(value))
        case _:
            return str(value)


def harmless(text: str) -> str:
    """The text as no spreadsheet runs it: what could be a formula stands behind an apostrophe."""
    is_formula = text.lstrip().startswith(_FORMULA) or text.startswith(_CONTROLS)
    return f"'{text}" if is_formula else text
