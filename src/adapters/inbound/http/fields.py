"""Typed reading of single fields of a JSON document. Null counts as absent; a boolean is never a number."""

from collections.abc import Collection, Mapping
from types import MappingProxyType

from application.errors import InvalidRequest

Fields = Mapping[str, object]

_SHOWN_CHARACTERS = 40
_NAMES = MappingProxyType({type(None): "nothing", bool: "a boolean", str: "a string", list: "a list"})


def wrong(param: str, expected: str, found: object) -> InvalidRequest:
    """The error for a field that is not what it should be."""
    return InvalidRequest(f"{param}: expected {expected}, found {_describe(found)}.", param=param)


def refuse_unknown(fields: Fields, known: Collection[str]) -> None:
    """Refuses a field that is none of `known`: a misspelt wish must not be passed over in silence."""
    for name in fields:
        if name not in known:
            shown = name if len(name) <= _SHOWN_CHARACTERS else f"{name[:_SHOWN_CHARACTERS]}…"
            expected = f"expected {', '.join(sorted(known))}" if known else "expected no fields"
            raise InvalidRequest(f"{shown}: unknown field; {expected}.", param=shown)


def required_string(fields: Fields, name: str, path: str = "") -> str:
    """A non-empty string."""
    value = fields.get(name)
    if isinstance(value, str) and value:
        return value
    raise wrong(path + name, "a non-empty string", value)


def optional_bool(fields: Fields, name: str, path: str = "") -> bool | None:
    """A boolean, or None where it is absent."""
    value = fields.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise wrong(path + name, "a boolean", value)


def optional_int(fields: Fields, name: str, lowest: int, highest: int) -> int | None:
    """An integer within bounds, or None where it is absent."""
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
        return value
    raise wrong(name, f"an integer from {lowest} to {highest}", value)


def check_number(fields: Fields, name: str) -> None:
    """Refuses what is neither absent nor a number."""
    value = fields.get(name)
    if value is not None and (not isinstance(value, int | float) or isinstance(value, bool)):
        raise wrong(name, "a number", value)


def optional_object(fields: Fields, name: str) -> Fields | None:
    """An object, or None where it is absent."""
    value = fields.get(name)
    if value is None or isinstance(value, dict):
        return value
    raise wrong(name, "an object", value)


def check_objects(fields: Fields, name: str) -> None:
    """Refuses what is neither absent nor a list of objects."""
    value = fields.get(name)
    if value is None:
        return
    if not isinstance(value, list):
        raise wrong(name, "a list of objects", value)
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            raise wrong(f"{name}[{index}]", "an object", item)


def check_string_or_strings(fields: Fields, name: str) -> None:
    """Refuses what is neither absent, nor a string, nor a list of strings."""
    value = fields.get(name)
    if value is None or isinstance(value, str):
        return
    if not isinstance(value, list):
        raise wrong(name, "a string or a list of strings", value)
    for index, item in enumerate(value):
        if not isinstance(item, str):
            raise wrong(f"{name}[{index}]", "a string", item)


def _describe(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"the number {str(value)[:_SHOWN_CHARACTERS]}"
    name = _NAMES.get(type(value), "an object")
    return f"{name} that is empty" if value in ("", []) else name
