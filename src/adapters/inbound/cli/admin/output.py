"""Answers of the gateway as text for people."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from adapters.inbound.cli.admin.shape import FieldPath, fields_of
from adapters.inbound.cli.listing import table

_NOTHING = "-"
_WIDEST = 60


def as_table(response: type[BaseModel], rows: Sequence[Any]) -> str:
    """A column for each field that somebody has a value in; empty without rows."""
    paths = [path for path in _columns(response) if any(_at(row, path) not in (None, [], {}) for row in rows)]
    header = [".".join(path).replace("_", " ").upper() for path in paths]
    return table(header, [[_cell(_at(row, path)) for path in paths] for row in rows])


def as_lines(document: Mapping[str, Any]) -> str:
    """`name: value`, a line each; names of what is inside with dots and indices."""
    return "\n".join(f"{name}: {value}" for name, value in _lines("", document))


def as_json(document: object) -> str:
    """The document, indented."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def _columns(response: type[BaseModel]) -> list[FieldPath]:
    schema = response.model_json_schema(mode="serialization")
    definitions = schema.get("$defs", {})
    items = schema["properties"]["data"].get("items", {})
    reference = items.get("$ref", "").rsplit("/", 1)[-1]
    return [field.path for field in fields_of({**definitions.get(reference, items), "$defs": definitions})]


def _at(row: Any, path: FieldPath) -> Any:
    for name in path:
        row = row.get(name) if isinstance(row, dict) else None
    return row


def _lines(name: str, value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case dict() if value:
            for inner, found in value.items():
                yield from _lines(f"{name}.{inner}" if name else str(inner), found)
        case list() if any(isinstance(one, dict | list) for one in value):
            for number, found in enumerate(value):
                yield from _lines(f"{name}[{number}]", found)
        case _:
            yield _safe(name), _text(value)


def _text(value: Any) -> str:
    match value:
        case None | list() | dict() if not value:
            return _NOTHING
        case bool():
            return "yes" if value else "no"
        case str():
            return _safe(value) or '""'
        case list() if not any(isinstance(one, dict | list) for one in value):
            return ", ".join(_text(one) for one in value)
        case dict() if all(isinstance(one, str) for one in value.values()):
            return ", ".join(f"{_safe(key)}={_safe(one)}" for key, one in value.items())
        case _:
            return _safe(json.dumps(value, ensure_ascii=False))


def _safe(text: str) -> str:
    """Names are chosen by people, and what a terminal would take for a command must not reach it."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _cell(value: Any) -> str:
    text = _text(value)
    # A text may be an id, which is of no use in part.
    return text if isinstance(value, str) or len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
