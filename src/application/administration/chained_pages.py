"""Several long lists as one."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from domain.pages import Page

T = TypeVar("T")

_MARK = "|"


async def chained(
    parts: Sequence[str], fetch: Callable[[str, int, str | None], Awaitable[Page[T]]], limit: int, after: str | None
) -> Page[T]:
    """At most `limit` items of all parts, one part after the other. `fetch` gives a page of the part it is told.

    Goes on where it was even where parts were added or taken away meanwhile. A page can be shorter than `limit` and
    not the last. An `after` that never was a `next` starts wherever it falls: it opens nothing.

    The parts' names are sorted and hold no `|`.
    """
    first, _, inner = (after or "").partition(_MARK)
    found: list[T] = []
    left = [part for part in parts if part >= first]
    for index, part in enumerate(left):
        page = await fetch(part, limit - len(found), inner if part == first and inner else None)
        found += page.items
        if page.next is not None:
            return Page(tuple(found), f"{part}{_MARK}{page.next}")
        if len(found) >= limit and index + 1 < len(left):
            return Page(tuple(found), left[index + 1] + _MARK)
    return Page(tuple(found))
