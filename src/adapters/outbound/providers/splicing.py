"""Changes one top-level member of a JSON object in its text; every other byte stays as it was.

Re-serialising would cost more and keep less: number spellings, key order, escapes, floats out of Python's range.
"""

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from typing import Final

_MODEL: Final = b'"model"'
_MODEL_MEMBER: Final = re.compile(rb'"model"[ \t\r\n]*:[ \t\r\n]*"([^"\\]*)"')
_ESCAPED_LETTER: Final = re.compile(rb"\\u006[45CDFcdf]")  # of "model"
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_DECODER: Final = json.JSONDecoder()


def with_model(body: bytes, document: Mapping[str, object], model: str) -> bytes:
    """`body`, which parses to `document`, with `model` for its top-level `model`; as it is where it has none."""
    span = plain_model_span(body, document.get("model"))
    if span is not None:
        return body[: span[0]] + to_json(model) + body[span[1] :]
    return with_member(body, "model", to_json(model))


def with_nested_model(body: bytes, document: Mapping[str, object], outer: str, model: str) -> bytes:
    """The same for the `model` of the object that `body` has in `outer`; `body` must be one in UTF-8."""
    inner = document[outer]
    if not isinstance(inner, Mapping) or "model" not in inner:
        return body
    span = plain_model_span(body, inner["model"])
    if span is not None:
        return body[: span[0]] + to_json(model) + body[span[1] :]
    text = body.decode(json.detect_encoding(body), "surrogatepass")
    for key, start, end in _members(text):
        if key == outer:
            nested = with_model(text[start:end].encode("utf-8", "surrogatepass"), inner, model)
            return with_member(body, outer, nested)
    return body


def with_member(body: bytes, name: str, value: bytes) -> bytes:
    """`body`, in UTF-8, with the JSON `value` for the top-level member `name`; as it is where it has none."""
    text = body.decode(json.detect_encoding(body), "surrogatepass")
    parts: list[bytes] = []
    done = 0
    for key, start, end in _members(text):
        if key == name:
            parts += [text[done:start].encode("utf-8", "surrogatepass"), value]
            done = end
    return b"".join([*parts, text[done:].encode("utf-8", "surrogatepass")])


def with_first_member(body: bytes, name: str, value: bytes) -> bytes:
    """`body` with a new member before all others. It must not have one of that name, nor be empty."""
    brace = body.index(b"{") + 1
    return b"%b%b:%b,%b" % (body[:brace], to_json(name), value, body[brace:])


def to_json(value: object) -> bytes:
    """Compact JSON in ASCII: also lone surrogates survive.

    Raises:
        ValueError: A float is not finite.
    """
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def plain_model_span(body: bytes, model: object) -> tuple[int, int] | None:
    r"""Start and end of the top-level model's value, quotes included, where one look proves it; else None.

    Without an escaped letter of it the key can't be spelled in another way, so the top-level key is among the
    occurrences of `"model"`; and where there is only one occurrence, it is that one. (In a string, a quote has a
    backslash before it, so that text cannot look like `"model"`, except as the whole string or behind an escaped
    quote: both count here, and make two.) Other escapes are everyday: many clients write all but ASCII so.
    """
    if not isinstance(model, str) or body.count(_MODEL) != 1 or body.startswith(BOM_UTF8):
        return None
    if _ESCAPED_LETTER.search(body) is not None:
        return None
    match = _MODEL_MEMBER.search(body)
    if match is None or match[1] != model.encode("utf-8", "surrogatepass"):
        return None
    return match.start(1) - 1, match.end(1) + 1


def _members(text: str) -> Iterator[tuple[str, int, int]]:
    """Key, start and end of the value of each top-level member. `text` must be a valid JSON object."""
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] == '"':
        key, at = _DECODER.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        _, end = _DECODER.raw_decode(text, start)
        yield key, start, end
        at = _skip(text, end)
        if text[at] != ",":
            return
        at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match is not None else at
