"""Inputs that are nearly right: JSON with one member that is odd, and bytes with something amiss."""

import json
import re
from collections.abc import Sequence
from random import Random
from typing import Any, Final

ODD: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1,
    2**31, 2**53 + 1, 2**64, -(2**63), 10**400, 1.5, -0.0, 1e308, float("nan"), float("inf"),
    "", "a", "\ud800", "\u0000", "é" * 9, "[DONE]", "null", "1e999", "-1", "9" * 30, "\r\n\r\n", "{", "{}", "[]", "\\",
    [], [None], [[]], [{}], [1, 2], ["a"],
    [True], {}, {"": None}, {"a": 1}, {"type": "text"}, {"type": None}, {"type": []},
    {"error": "x"}, {"message": {}}, {"text": 1}, {"content": [None]}, {"name": None, "arguments": []},
)  # fmt: skip
BYTES: Final = (
    b"", b"\0", b"\xff", b"\xef\xbb\xbf", b"\r", b"\n", b"\r\n", b"\n\n", b"\r\n\r\n", b"data:", b"data: [DONE]\n\n",
    b": x\n", b"event: error\n", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"NaN", b"1e999", b"[" * 70, b'{"a":' * 70,
    b'"', b"\\", b",", b":", b"{", b"}", b"[", b"]", b"null", b"-", b"0", b"9" * 20,
)  # fmt: skip
_DOCUMENT: Final = re.compile(rb"\{[^\r\n]*\}")


def mutated(data: bytes, random: Random, longest: int, tokens: Sequence[bytes] = ()) -> bytes:
    """Another input, by one to three changes."""
    for _ in range(random.randint(1, 3)):
        data = _with_odd_member(data, random) if random.random() < 0.6 else _with_odd_bytes(data, random, tokens)
    return data[:longest]


def _with_odd_member(data: bytes, random: Random) -> bytes:
    found = list(_DOCUMENT.finditer(data))
    if not found:
        return _with_odd_bytes(data, random, ())
    chosen = random.choice(found)
    try:
        document = json.loads(chosen[0])
    except (ValueError, RecursionError):
        return _with_odd_bytes(data, random, ())
    _change(document, random)
    compact = (",", ":") if random.random() < 0.5 else None
    # A number of four hundred digits is one of the odd values: nothing here may be too large to be written.
    written = json.dumps(document, separators=compact, ensure_ascii=random.random() < 0.7)
    return data[: chosen.start()] + written.encode("utf-8", "surrogatepass") + data[chosen.end() :]


def _change(document: Any, random: Random) -> None:
    """One member somewhere in it is replaced, dropped, doubled or moved."""
    places = [(document, key) for key in document]
    for parent, key in places:
        child = parent[key]
        if isinstance(child, dict):
            places += [(child, name) for name in child]
        elif isinstance(child, list):
            places += [(child, index) for index in range(len(child))]
    if not places:
        return
    parent, key = random.choice(places)
    match random.randrange(6):
        case 0:
            del parent[key]
        case 1 if isinstance(parent, list):
            parent.insert(key, parent[key])
        case 2:
            other, name = random.choice(places)
            parent[key] = json.loads(json.dumps(other[name])) if name in other or isinstance(other, list) else None
        case _:
            parent[key] = random.choice(ODD)


def _with_odd_bytes(data: bytes, random: Random, tokens: Sequence[bytes]) -> bytes:
    at = random.randint(0, len(data))
    end = min(len(data), at + random.choice((0, 0, 1, 1, 2, 8, 64)))
    match random.randrange(5):
        case 0:
            return data[:at] + data[end:]
        case 1:
            return data[:at] + bytes([random.randrange(256)]) + data[end:]
        case 2:
            return data[:at] + data[at:end] * 2 + data[end:]
        case 3 if tokens:
            return data[:at] + random.choice(tokens) + data[end:]
        case _:
            return data[:at] + random.choice(BYTES) + data[end:]
