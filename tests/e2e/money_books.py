"""What Postgres has of every attempt, and of the sums by day."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg  # type: ignore[import-untyped]

_ROWS = (
    "SELECT request_id, client_request_id, attempt, outcome, status, estimated, input_tokens, cached_input_tokens, "
    "output_tokens, cost_nano, instance_id, team_id, user_id, key_id, first FROM ledger"
)
_DAYS = "SELECT team_id, user_id, key_id, sum(cost_nano) cost, sum(attempts) attempts FROM usage_days GROUP BY 1, 2, 3"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the ledger."""

    request_id: str
    client_request_id: str | None
    attempt: int
    outcome: str
    status: int | None
    estimated: bool
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    cost_nano: int
    instance_id: str
    team_id: str
    user_id: str
    key_id: str
    first: bool


@dataclass(frozen=True, slots=True)
class Books:
    """The ledger, and what its aggregates say: nano-dollars by budget id."""

    rows: list[Row]
    by_ledger: Mapping[str, int]
    by_days: Mapping[str, int]
    attempts_by_days: int

    @property
    def attempts(self) -> Counter[str]:
        """How many rows each request has."""
        return Counter(row.request_id for row in self.rows)


async def read_books(database_url: str) -> Books:
    """Both, as of one moment."""
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            rows = [Row(**found) for found in await connection.fetch(_ROWS)]
            days = await connection.fetch(_DAYS)
    finally:
        await connection.close()
    by_ledger = _by_budget(rows, lambda row: (row.team_id, row.user_id, row.key_id, row.cost_nano))
    by_days = _by_budget(days, lambda day: (day["team_id"], day["user_id"], day["key_id"], int(day["cost"])))
    return Books(rows, by_ledger, by_days, sum(int(day["attempts"]) for day in days))


def _by_budget(found: Iterable[Any], facts: Callable[[Any], tuple[str, str, str, int]]) -> Mapping[str, int]:
    sums: Counter[str] = Counter()
    for each in found:
        team_id, user_id, key_id, cost_nano = facts(each)
        for budget_id in (f"team:{team_id}", f"member:{team_id}:{user_id}", f"key:{key_id}"):
            sums[budget_id] += cost_nano
    return sums
