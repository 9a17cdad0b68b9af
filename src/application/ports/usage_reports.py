from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from domain.pages import Page
from domain.usage_record import UsageRecord


class GroupBy(StrEnum):
    """What totals are made for: a UTC day, or who asked, or what answered."""

    DAY = "day"
    KEY = "key"
    USER = "user"
    TEAM = "team"
    MODEL = "model"
    INSTANCE = "instance"


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """Which records: all that match every field that is set. `from_us` included, `to_us` not."""

    from_us: int | None = None
    to_us: int | None = None
    request_id: str | None = None
    key_id: str | None = None
    user_id: str | None = None
    team_id: str | None = None
    model: str | None = None
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class UsageTotal:
    """`group` is empty for what has none. `requests` counts distinct request ids, whatever number of attempts."""

    group: str
    requests: int
    attempts: int
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cost_nano: int


class UsageReports(Protocol):
    """Reading the ledger. Both raise StateUnavailable. A cursor that is none is a ValueError."""

    async def records(self, asked: UsageFilter, limit: int, after: str | None = None) -> Page[UsageRecord]:
        """Records, the latest first."""
        ...

    async def totals(
        self, asked: UsageFilter, group_by: GroupBy, limit: int, after: str | None = None
    ) -> Page[UsageTotal]:
        """Totals in the order of their groups. The model is the one that was asked for."""
        ...
