"""Where a page of a usage report ended, as text that clients carry. Texts order by code point, everywhere."""

from typing import NamedTuple

from domain.usage_record import UsageRecord

_MAX_INSTANT_US = (1 << 63) - 1
_MAX_ATTEMPT = (1 << 31) - 1
_GROUP = "="


class RecordPosition(NamedTuple):
    """What records are ordered by."""

    at_us: int
    request_id: str
    attempt: int


def position_of(record: UsageRecord) -> RecordPosition:
    """Where a record stands among the others."""
    return RecordPosition(record.at_us, record.request_id, record.attempt)


def record_cursor(record: UsageRecord) -> str:
    """Names its place."""
    return f"{record.at_us}:{record.request_id}:{record.attempt}"


def record_position(cursor: str) -> RecordPosition:
    """The place that `record_cursor` named.

    Raises:
        ValueError: It named none.
    """
    at_us, _, rest = cursor.partition(":")
    request_id, _, attempt = rest.rpartition(":")
    if not _is_number(at_us, _MAX_INSTANT_US) or not _is_number(attempt, _MAX_ATTEMPT) or not is_storable(request_id):
        raise ValueError("expected a cursor that an earlier page gave")
    return RecordPosition(int(at_us), request_id, int(attempt))


def group_cursor(group: str) -> str:
    """Names the place of a group, be it the empty one."""
    return _GROUP + group


def group_position(cursor: str) -> str:
    """The group that `group_cursor` named. Raises as `record_position`."""
    if not cursor.startswith(_GROUP) or not is_storable(cursor):
        raise ValueError("expected a cursor that an earlier page gave")
    return cursor.removeprefix(_GROUP)


def is_storable(text: str) -> bool:
    """Whether every database takes it: valid Unicode, without NUL."""
    return "\x00" not in text and text.encode("utf-8", "replace") == text.encode("utf-8", "surrogatepass")


def _is_number(text: str, most: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(most)) and int(text) <= most
