"""One route of the admin API, declared whole: what it is, who may call it, what it takes and what it answers.

A resource is a module beside this one: its schemas, and a function that takes its use cases and gives its routes.
The composition root joins these tables in `AdminApi`; blueprint, OpenAPI document and the tests of who may do what
are made from it.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from adapters.inbound.http.admin.schema import NoFields, Schema
from adapters.inbound.http.exchange import Outgoing
from domain.principal import Permission, Principal

PREFIX = "/admin/v1"

BodyT = TypeVar("BodyT", bound=Schema)
QueryT = TypeVar("QueryT", bound=Schema)

Answer = BaseModel | Outgoing | None

_PARAMETER = re.compile(r"\{(?P<name>[a-z_]+)(?::(?P<kind>path))?\}")
_NO_CONTENT = 204
_NO_FIELDS: Any = NoFields


class Method(StrEnum):
    """What is done at a path."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class Asked(Generic[BodyT, QueryT]):
    """A request that was let in and understood.

    Attributes:
        path: The values of the path's parameters, none of them empty.
    """

    principal: Principal
    path: Mapping[str, str]
    body: BodyT
    query: QueryT


@dataclass(frozen=True, slots=True)
class Route(Generic[BodyT, QueryT]):
    """A method at a path.

    Attributes:
        path: Behind `/admin/v1`. Parameters stand in braces: `/keys/{key_id}`; `{id:path}` may hold slashes.
        permission: Without it a handler is never called.
        response: What a success says; None for nothing.
        media: The type of what a success says, where that is no JSON as well: for handlers that answer it themselves.

    Raises:
        ValueError: The permission is none, or one to look for a method that changes, or the other way round; or there
            is a body where no method has one, or a status that belongs to another answer.
    """

    method: Method
    path: str
    permission: Permission
    summary: str
    handler: Callable[[Asked[BodyT, QueryT]], Awaitable[Answer]]
    response: type[BaseModel] | None = None
    request: type[BodyT] = _NO_FIELDS
    query: type[QueryT] = _NO_FIELDS
    status: int = 200
    media: str | None = None

    def __post_init__(self) -> None:
        if type(self.permission) is not Permission or self.permission.changes is (self.method is Method.GET):
            raise ValueError(f"expected a permission that fits {self.name}, found {self.permission!r}")
        if self.request is not NoFields and self.method in {Method.GET, Method.DELETE}:
            raise ValueError(f"{self.name} can't have a body")
        if (self.status == _NO_CONTENT) is not (self.response is None):
            raise ValueError(f"{self.name} answers {self.status}, with {self.response}")

    @property
    def name(self) -> str:
        """Unique in the table."""
        return f"{self.method} {PREFIX}{self.path}"

    @property
    def rule(self) -> str:
        """The path as Werkzeug writes it."""
        return _PARAMETER.sub(lambda found: f"<{found['kind'] or 'string'}:{found['name']}>", self.path)

    @property
    def template(self) -> str:
        """The whole path as OpenAPI writes it."""
        return PREFIX + _PARAMETER.sub(lambda found: f"{{{found['name']}}}", self.path)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the path's parameters."""
        return tuple(found["name"] for found in _PARAMETER.finditer(self.path))


AnyRoute = Route[Any, Any]
