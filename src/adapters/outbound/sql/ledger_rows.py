"""Usage records as rows of the ledger."""

import json
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from adapters.outbound.sql.tables import METADATA
from domain.usage_record import UsageOutcome, UsageRecord

LEDGER = METADATA.tables["ledger"]
USAGE_DAYS = METADATA.tables["usage_days"]

_NAMES = tuple(column.name for column in LEDGER.columns)
_TAGS = _NAMES.index("tags")
_values = attrgetter(*_NAMES)
_encode = json.JSONEncoder(separators=(",", ":")).encode


def row_of(record: UsageRecord) -> Sequence[Any]:
    """Its values in the order of the ledger's columns."""
    row = list(_values(record))
    row[_TAGS] = _encode(record.tags) if record.tags else "[]"
    return row


def record_of(row: dict[str, Any]) -> UsageRecord:
    """The record that `row_of` wrote, given its values by column."""
    tags = row["tags"]
    row["outcome"] = UsageOutcome(row["outcome"])
    row["tags"] = () if tags == "[]" else tuple(json.loads(tags))
    return UsageRecord(**row)
