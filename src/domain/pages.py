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
