"""Usage records and intents as bytes: one compact JSON object with the version of its fields in `v`."""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

VERSION = 1
"""Grows where a reader that knows an older one would misunderstand; a new field alone changes nothing."""

Parse = Callable[[object], object]

_MAX_QUANTITY = (1 << 63) - 1
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False, allow_nan=False).encode


def encode(value: object, names: Collection[str]) -> bytes:
    """The attributes `names` of `value`; ASCII only, so that even text that is no valid Unicode survives."""
    written = {name: getattr(value, name) for name in names}
    written["v"] = VERSION
    return _encode(written).encode("ascii")


def decode(data: bytes, parsers: Mapping[str, Parse], required: Collection[str]) -> dict[str, Any]:
    """What `parsers` know of the object in `data`.

    Raises:
        ValueError: Says which field is missing or wrong.
    """
    found = _object(data)
    missing = sorted(name for name in required if name not in found)
    if missing:
        raise ValueError(f"usage record: lacks {', '.join(missing)}")
    return {name: _parsed(name, parse, found[name]) for name, parse in parsers.items() if name in found}


def text(value: object) -> str:
    """A string."""
    if not isinstance(value, str):
        raise ValueError(f"expected a string, found {value!r:.40}")  # noqa: TRY004 - data, not a caller's mistake
    return value


def quantity(value: object) -> int:
    """An integer from 0 that fits 64 bits with a sign, as a ledger's column does."""
    if type(value) is not int or not 0 <= value <= _MAX_QUANTITY:
        raise ValueError(f"expected an integer from 0 to 2^63 - 1, found {value!r:.40}")
    return value


def flag(value: object) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, found {value!r:.40}")  # noqa: TRY004 - data, not a caller's mistake
    return value


def texts(value: object) -> tuple[str, ...]:
    """A list of strings."""
    if not isinstance(value, list):
        raise ValueError(f"expected a list, found {value!r:.40}")  # noqa: TRY004 - data, not a caller's mistake
    return tuple(text(each) for each in value)


def optional(parse: Parse) -> Parse:
    """What `parse` takes, or null."""
    return lambda value: None if value is None else parse(value)


def _object(data: bytes) -> dict[str, object]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError("usage record: not JSON") from error
    if not isinstance(found, dict):
        raise ValueError("usage record: not an object")  # noqa: TRY004 - data, not a caller's mistake
    version = found.get("v")
    if type(version) is not int or not 1 <= version <= VERSION:
        raise ValueError(f"usage record: expected version 1 to {VERSION}, found {version!r:.40}")
    return found


def _parsed(name: str, parse: Parse, value: object) -> object:
    try:
        return parse(value)
    except ValueError as error:
        raise ValueError(f"usage record: {name}: {error}") from error
