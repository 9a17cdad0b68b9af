"""Strict JSON: what two readers could understand differently is refused."""

import json
import math
from typing import Any, NoReturn

from adapters.inbound.http.errors import InvalidJson

MAX_DEPTH = 64

_CONTAINERS = frozenset({dict, list})


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`. Integers of any size up to 4,300 digits pass.

    Raises:
        InvalidJson: Not UTF-8, not JSON, no object, a key twice in one object, NaN or an infinity (also by overflow),
            nested more than 64 deep.
    """
    try:
        value = _DECODER.decode(body.decode())
    except InvalidJson:
        raise
    except UnicodeDecodeError as error:
        raise InvalidJson(f"The body is not UTF-8 at byte {error.start}: send plain JSON, not compressed.") from error
    except json.JSONDecodeError as error:
        raise InvalidJson(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from error
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise InvalidJson("The body holds a number with more than 4300 digits.") from error
    # Each level costs a bracket; brackets inside strings only send us to the exact count.
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        _refuse_depth(value)
    if not isinstance(value, dict):
        raise InvalidJson("The body is JSON, but not an object: expected {...}.")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidJson("A key stands twice in one object of the body: keep one of them.")
    return fields


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise InvalidJson("The body holds a number too large for a double.")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidJson(f"The body holds {name}, which is not JSON.")


def _refuse_depth(value: object) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _containers(parent)]
        if not level:
            return
    raise _too_deep()


def _containers(parent: dict[str, Any] | list[Any]) -> list[dict[str, Any] | list[Any]]:
    children = parent.values() if isinstance(parent, dict) else parent
    if _CONTAINERS.isdisjoint(map(type, children)):
        return []
    return [child for child in children if type(child) in _CONTAINERS]


def _too_deep() -> InvalidJson:
    return InvalidJson(f"The body is nested more than {MAX_DEPTH} deep.")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_refuse_constant)
