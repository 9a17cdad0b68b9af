"""Changes as the audit log tells them: everything but secrets."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from domain.audit import AuditEntry, Change
from domain.cursor import cursor_of, place_of
from domain.tenants import check_name

_LISTING = "audit"
_LARGEST_STORED = 2**63 - 1


def entry_of(change: Change[Any], revision: int, at_us: int, actor: str) -> AuditEntry:
    """The entry of a change.

    Raises:
        ValueError: The actor is no name, or a number of the item does not fit in 64 bits, which no store could keep.
    """
    check_name(actor, "name of an actor")
    return AuditEntry(revision, at_us, actor, change.action, change.target, _told(change.before), _told(change.after))


def _told(item: Any) -> str | None:
    if item is None:
        return None
    return json.dumps(_plain(item), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:
    """As JSON has it. What an item leaves out of its representation is secret, and left out here."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value) if field.repr}
    match value:
        case None | bool() | str():
            return value
        case int():
            if abs(value) > _LARGEST_STORED:
                raise ValueError(f"expected a number of at most 64 bits, found {value}")
            return value
        case frozenset():
            return sorted(value)
        case Mapping():
            return dict(value)
        case _:
            raise TypeError(f"the audit log can't tell a {type(value).__name__}")


def cursor_after(entry: AuditEntry) -> str:
    """The cursor of the page of earlier entries."""
    return cursor_of(_LISTING, str(entry.revision))


def revision_before(cursor: str) -> int:
    """The revision that the entries of the next page come before.

    Raises:
        ValueError: The cursor is none of `cursor_after`.
    """
    text = place_of(_LISTING, cursor)
    if not (text.isascii() and text.isdigit() and int(text) <= _LARGEST_STORED):
        raise ValueError(f"expected a cursor from the page before, found {cursor[:50]!r}")
    return int(text)


def printable(target: str) -> str:
    """A target as any database holds it: what can't be printed, and what is beyond 500 characters, is replaced."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in target)
    return plain if len(plain) <= _LONGEST_TARGET else plain[: _LONGEST_TARGET - 1] + "…"


_LONGEST_TARGET = 500
