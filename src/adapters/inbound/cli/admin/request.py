"""A command's arguments as the request that they ask for, checked by the schemas that the gateway checks by."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from adapters.inbound.cli.admin.shape import FieldPath
from adapters.inbound.http.admin.route import PREFIX, AnyRoute
from adapters.inbound.http.admin.schema import read_body, read_query
from application.errors import GatewayError

Given = tuple[FieldPath, object]


class WrongArguments(Exception):
    """No request can be made of these. `param` is the field at fault, as the API writes it; empty for none."""

    def __init__(self, message: str, param: str = "") -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True, slots=True)
class AdminRequest:
    """What is sent. `path` is quoted; `body` is None where there is none."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: bytes | None


def admin_request(
    route: AnyRoute, ids: Mapping[str, str], query: Sequence[tuple[str, str]], given: Sequence[Given]
) -> AdminRequest:
    """Raises WrongArguments for what the gateway would not take either."""
    path = PREFIX + filled(route, ids)
    # Without fields there is nothing to say: no body, and not an empty one.
    body = json.dumps(together(given)).encode() if given else None
    try:
        read_query(route.query, query)
        read_body(route.request, body or b"")
    except GatewayError as error:
        raise WrongArguments(str(error), getattr(error, "param", None) or "") from error
    return AdminRequest(route.method.value, path, tuple(query), body)


def filled(route: AnyRoute, ids: Mapping[str, str]) -> str:
    """The route's path with these parameters. Raises WrongArguments where one would lead elsewhere."""
    segments = []
    for part in route.path.split("/"):
        if not part.startswith("{"):
            segments.append(part)
            continue
        name, _, kind = part.strip("{}").partition(":")
        segments.append(_quoted(name, ids[name], keep="/" if kind else ""))
    return "/".join(segments)


def together(given: Iterable[Given]) -> dict[str, Any]:
    """One document of fields by their paths. Raises WrongArguments where two speak of the same."""
    document: dict[str, Any] = {}
    seen: list[FieldPath] = []
    for path, value in given:
        for other in seen:
            depth = min(len(path), len(other))
            if path[:depth] == other[:depth]:
                raise WrongArguments(f"{'.'.join(path[:depth])}: given twice.", ".".join(path[:depth]))
        seen.append(path)
        inner = document
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner[path[-1]] = value
    return document


def _quoted(name: str, value: str, keep: str) -> str:
    # Clients and proxies resolve dots and merge slashes, and what comes of it is the path of something else.
    if not value.isprintable() or any(part in {"", ".", ".."} for part in (value.split("/") if keep else [value])):
        raise WrongArguments(f"{name}: {value!r} is no id.")
    return quote(value, safe=keep + ":")
