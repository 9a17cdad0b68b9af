"""Long lists, a piece at a time."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_ITEMS = 1_000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items in a stable order. `next` is what to give as `after` for the following ones; None on the last page."""

    items: tuple[T, ...]
    next: str | None = None


def check_page_size(limit: int) -> None:
    """Raises ValueError where nobody gets a page of so many items."""
    if not 1 <= limit <= MOST_ITEMS:
        raise ValueError(f"expected 1 to {MOST_ITEMS} items, found {limit}")
