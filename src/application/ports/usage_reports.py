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
    """Which records: all that match every field that is set. `from_us` included, `to_us` not.

    The model is the one that was asked for, the instance the one that was used. Empty text finds what has none, as it
    is the group of such records.
    """

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
    """What the records of one group come to.

    Attributes:
        group: A date such as 2026-11-23, or an id or name; empty for records that have none.
        requests: Distinct requests, whatever number of attempts. One counts where its first record does: attempts on
            both sides of midnight are one request of the first day. By instance, or of one instance, a request counts
            wherever it has a record.
    """

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
        """Records, the latest first; those of one instant in the reverse order of their ids. `limit` is at least 1."""
        ...

    async def totals(
        self, asked: UsageFilter, group_by: GroupBy, limit: int, after: str | None = None
    ) -> Page[UsageTotal]:
        """Totals of the groups that have records, in the order of their code points. `limit` is at least 1.

        What fills whole UTC days is read from sums, however many records there are; except by, or of, an instance, and
        of one request.
        """
        ...
