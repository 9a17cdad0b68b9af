"""The route table as a blueprint: the only way from a request to an admin handler."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from pydantic import BaseModel
from quart import Blueprint

from adapters.inbound.http.admin.route import PREFIX, Answer, AnyRoute, Asked
from adapters.inbound.http.admin.schema import read_body, read_query
from adapters.inbound.http.exchange import Incoming, Outgoing, incoming
from application.errors import ItemNotFound, NotPermitted
from domain.callers import Caller
from domain.principal import Principal

FindPrincipal = Callable[[Caller], Awaitable[Principal]]

_JSON = (("content-type", "application/json"), ("cache-control", "no-store"))
_NOTHING = (("cache-control", "no-store"),)

_View = Callable[..., Awaitable[Outgoing]]


@dataclass(frozen=True, slots=True)
class AdminApi:
    """The whole admin API: its table, and how it is known who calls.

    Raises:
        ValueError: A route stands twice.
    """

    find_principal: FindPrincipal
    routes: tuple[AnyRoute, ...]

    def __post_init__(self) -> None:
        names = Counter(f"{route.method} {route.rule}" for route in self.routes)
        if twice := [name for name, count in names.items() if count > 1]:
            raise ValueError(f"these routes stand twice: {', '.join(twice)}")

    @classmethod
    def of(cls, find_principal: FindPrincipal, *tables: Iterable[AnyRoute]) -> "AdminApi":
        """Of the tables of all resources."""
        return cls(find_principal, tuple(route for table in tables for route in table))


def admin_blueprint(api: AdminApi) -> Blueprint:
    """Every route of the table under `/admin/v1`."""
    blueprint = Blueprint("admin", __name__, url_prefix=PREFIX)
    for number, route in enumerate(api.routes):
        view = _view(route, api.find_principal)
        blueprint.add_url_rule(route.rule, f"route-{number}", view, methods=[route.method.value])
    return blueprint


def _view(route: AnyRoute, find_principal: FindPrincipal) -> _View:
    async def view(**path: str) -> Outgoing:
        request = incoming()
        principal = await _let_in(route, find_principal, request)
        if not all(value.isprintable() for value in path.values()):
            raise ItemNotFound("Nothing has such an id: ids are printable.")
        # Nobody's body is looked at before it is known that they may send one.
        body = read_body(route.request, request.payload)
        query = read_query(route.query, request.args.items(multi=True))
        return _outgoing(route, await route.handler(Asked(principal, path, body, query)))

    return view


async def _let_in(route: AnyRoute, find_principal: FindPrincipal, request: Incoming) -> Principal:
    """Raises NotPermitted where the caller has no role, or one that does not open this route."""
    principal = await find_principal(request.known_caller)
    if not principal.may(route.permission):
        raise NotPermitted(f"The role {principal.role} does not allow this: it needs '{route.permission}'.")
    return principal


def _outgoing(route: AnyRoute, answer: Answer) -> Outgoing:
    if isinstance(answer, Outgoing):
        return answer
    if answer is None:
        return Outgoing(route.status, _NOTHING, b"")
    return Outgoing(route.status, _JSON, json_of(answer))


def json_of(answer: BaseModel) -> bytes:
    """The answer as it goes out."""
    return json.dumps(answer.model_dump(mode="json"), separators=(",", ":")).encode()
