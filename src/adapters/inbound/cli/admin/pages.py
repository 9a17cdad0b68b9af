"""Lists that arrive a page at a time."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.inbound.cli.admin.call import Connection
from adapters.inbound.cli.admin.request import AdminRequest
from adapters.inbound.cli.one_line_errors import CommandFailed

AFTER = "after"
_NEXT = "next"


def all_pages(connection: Connection, request: AdminRequest) -> dict[str, Any]:
    """All pages from this one on, as if they were one. Raises CommandFailed."""
    document = page = _page(connection.document(request))
    rows = list(page["data"])
    seen: set[str] = set()
    while (after := page.get(_NEXT)) is not None:
        if not isinstance(after, str) or after in seen:
            raise CommandFailed([f"{connection.access.url}: the pages of this list lead in a circle"])
        seen.add(after)
        rest = tuple(pair for pair in request.query if pair[0] != AFTER)
        page = _page(connection.document(replace(request, query=(*rest, (AFTER, after)))))
        rows += page["data"]
    return {**document, "data": rows, _NEXT: None}


def _page(document: Any) -> Mapping[str, Any]:
    match document:
        case {"data": [*_]}:
            return document  # type: ignore[no-any-return]
        case _:
            raise CommandFailed(["expected a list from the gateway, found something else"])
