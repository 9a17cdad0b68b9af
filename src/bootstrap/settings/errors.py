"""Everything that is wrong with a configuration, one line for each, in the operator's own words."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bootstrap.configuration_error import KeyPath, nearest, spell_path
from bootstrap.settings.masking import masked
from bootstrap.settings.schema import PROVIDER_KEY, valid_keys

_SECRET_KEYS = frozenset(
    {"api_key", "master_key", "key_pepper", "url", "headers", "access_key_id", "secret_access_key", "session_token"}
)
_SHOWN_CHARACTERS = 60
_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_EXPECTATIONS = {
    "int_": "a whole number",
    "float_": "a number",
    "finite_number": "a finite number",
    "bool_": "true or false",
    "string_": "text (numbers and the like need quotes)",
    "list_": "a list",
    "tuple_": "a list",
    "dict_": "a mapping of keys to values",
    "mapping_": "a mapping of keys to values",
    "model_": "a mapping of keys to values",
    "invalid_key": "a key that is text",
}
_CONTAINERS = frozenset({"expected a list", "expected a mapping of keys to values"})


class Contradiction(ValueError):
    """Parts of a configuration that are right alone and wrong together."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("; ".join(self.lines))


def problems(error: ValidationError, root: type[BaseModel], raw: object) -> list[str]:
    """A line for each problem in `error` about a `root`; `raw` is the document before the environment was filled in.

    What the environment holds is never shown, nor what stands where secrets belong.
    """
    lines: list[str] = []
    for detail in error.errors(include_url=False):
        cause = detail.get("ctx", {}).get("error")
        if isinstance(cause, Contradiction):
            lines.extend(cause.lines)
        else:
            lines.append(_problem(detail, root, raw))
    return lines


def key_path(detail: ErrorDetails) -> KeyPath:
    """Where in the document the problem is: pydantic's location without what it adds for unions and keys."""
    location = detail["loc"]
    path = location
    if PROVIDER_KEY in location and not detail["type"].startswith("union_tag"):
        tag = location.index(PROVIDER_KEY) + 1
        path = (*location[:tag], *location[tag + 1 :])
    if path and path[-1] == "[key]":
        path = path[:-1]
    return (*path, "type") if detail["type"].startswith("union_tag") else path


def _problem(detail: ErrorDetails, root: type[BaseModel], raw: object) -> str:
    path = key_path(detail)
    where = spell_path(path)
    match detail["type"]:
        case "extra_forbidden":
            return _unknown_key(where, str(path[-1]), valid_keys(root, detail["loc"][:-1]))
        case "missing" | "union_tag_not_found":
            return f"{where}: is required"
        case "union_tag_invalid" | "literal_error" | "enum":
            return _none_of(where, _found(path, raw, detail["input"]), detail)
        case _:
            expectation = _expectation(detail)
            if not expectation.startswith("expected "):
                return f"{where}: {expectation}"
            if expectation in _CONTAINERS:
                return f"{where}: {expectation}, found {_kind_of(detail['input'])}"
            return f"{where}: {expectation}, found {_found(path, raw, detail['input'])}"


def _unknown_key(where: str, key: str, valid: Sequence[str]) -> str:
    suggestion = nearest(key, valid)
    if suggestion is not None:
        return f"{where}: unknown key; did you mean {suggestion!r}?"
    return f"{where}: unknown key; valid here: {', '.join(valid)}"


def _none_of(where: str, found: str, detail: ErrorDetails) -> str:
    ctx: Mapping[str, Any] = detail.get("ctx", {})
    listed = str(ctx.get("expected") or ctx.get("expected_tags"))
    words = re.findall(r"'([^']*)'", listed)
    value = ctx.get("tag", detail["input"])
    found = repr(value) if "tag" in ctx else found
    suggestion = nearest(value, words) if isinstance(value, str) else None
    hint = f"; did you mean {suggestion!r}?" if suggestion else ""
    return f"{where}: expected one of {', '.join(words)}, found {found}{hint}"


def _expectation(detail: ErrorDetails) -> str:
    ctx: Mapping[str, Any] = detail.get("ctx", {})
    match detail["type"]:
        case "value_error":
            return str(ctx["error"]).partition(", found ")[0]
        case "greater_than_equal":
            return f"expected at least {ctx['ge']:g}"
        case "greater_than":
            return f"expected more than {ctx['gt']:g}"
        case "less_than_equal":
            return f"expected at most {ctx['le']:g}"
        case kind:
            known = (f"expected {text}" for prefix, text in _EXPECTATIONS.items() if kind.startswith(prefix))
            return next(known, detail["msg"])


def _kind_of(value: object) -> str:
    """What stands in the place of keys and values may be a key and a secret without its colon: it is not shown."""
    match value:
        case str():
            return "text"
        case int() | float() if not isinstance(value, bool):
            return "a number"
        case _:
            return _found((), None, value)


def _found(path: KeyPath, raw: object, value: object) -> str:
    written = _at(path, raw)
    is_secret = not _SECRET_KEYS.isdisjoint(path)
    if isinstance(written, str) and "${" in written and (not is_secret or _VARIABLE.fullmatch(written)):
        return f"what {masked(written)!r} stands for"
    if is_secret and isinstance(value, str | int | float):
        return "another value (not shown, as it may be secret)"
    match value:
        case None | bool():
            return {None: "nothing", True: "true", False: "false"}[value]
        case dict() | list():
            return "a mapping" if isinstance(value, dict) else "a list"
        case _:
            text = repr(masked(value) if isinstance(value, str) else value)
            return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _at(path: KeyPath, document: object) -> object:
    found: Any = document
    for part in path:
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError):
            return None
    return found
