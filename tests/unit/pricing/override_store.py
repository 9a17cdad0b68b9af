"""Overrides in memory, a few to a page, that can be away or change while they are read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from application.errors import StateUnavailable
from domain.audit import AuditEntry, Change
from domain.pages import Page
from domain.price_override import PriceOverride
from domain.pricing import Prices

T = TypeVar("T")


def override(model: str, price: int, effective_at_us: int = 0) -> PriceOverride:
    return PriceOverride("openai", model, effective_at_us, Prices(price, price))


@dataclass
class FakeOverrideStore:
    """As much of an AdminStore as prices need."""

    overrides: list[PriceOverride] = field(default_factory=list)
    page_size: int = 1_000
    away: bool = False
    reads: int = 0
    while_reading: Callable[[], None] | None = None

    async def get(self, kind: type[T], item_id: str) -> T | None:
        raise NotImplementedError

    async def apply(self, changes: Sequence[Change[Any]], actor: str) -> Sequence[AuditEntry]:
        raise NotImplementedError

    async def page(
        self, kind: type[T], limit: int, after: str | None = None, where: Mapping[str, str] | None = None
    ) -> Page[T]:
        assert (kind, where) == (PriceOverride, None)
        self.reads += 1
        if self.away:
            raise StateUnavailable("the test says so")
        begin = int(after or 0)
        items = self.overrides[begin : begin + min(limit, self.page_size)]
        end = begin + len(items)
        if self.while_reading is not None:
            self.while_reading()
        return Page(cast("tuple[T, ...]", tuple(items)), str(end) if end < len(self.overrides) else None)
