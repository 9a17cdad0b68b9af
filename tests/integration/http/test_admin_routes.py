"""The route table: what can't be declared, who gets in where, and what is read before that."""

import json
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pytest
from quart import typing as quart_typing

from adapters.inbound.cli.admin.declared import declared_routes
from adapters.inbound.http.admin.blueprint import AdminApi
from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import NoFields, PageQuery, Patch, Query, Schema, left_out
from application.use_cases.admin.find_principal import FindPrincipal
from domain.principal import PERMISSIONS, Permission, Principal
from domain.tenants import Role
from tests.integration.http.admin_callers import CallersByName
from tests.integration.http.admin_world import World
from tests.integration.http.stubs import front_door, http_app

MAY: dict[str, set[Permission]] = {
    "master": set(Permission),
    "admin": set(Permission),
    "viewer": {Permission.SEE_GATEWAY, Permission.SEE_TENANTS},
    "team-admin": {Permission.SEE_TENANTS, Permission.CHANGE_TENANTS},
    "llm": set(),
}
ROUTES = declared_routes()


class Shown(Schema):
    text: str


class Wish(Schema):
    name: str
    kind: Literal["a", "b"] = "a"
    sizes: tuple[int, ...] = ()
    names: dict[str, int] | None = None


class Change(Patch):
    name: str = left_out()
    size: int | None = None


class Which(Query):
    since: int | None = None


@dataclass
class SpyHandler:
    asked: list[Asked[Any, Any]] = field(default_factory=list)

    async def __call__(self, asked: Asked[Any, Any]) -> Shown:
        self.asked.append(asked)
        return Shown(text="seen")


async def shown(_asked: Asked[Any, Any]) -> Shown:
    return Shown(text="x")


def route(**other: Any) -> AnyRoute:
    declared: dict[str, Any] = {
        "method": Method.GET,
        "path": "/things",
        "permission": Permission.SEE_GATEWAY,
        "summary": "Things",
        "handler": shown,
        "response": Shown,
    }
    return Route(**{**declared, **other})


def client(*routes: AnyRoute) -> quart_typing.TestClientProtocol:
    door = replace(front_door(), authenticator=CallersByName())
    return http_app(door=door, admin=AdminApi(FindPrincipal(World().store), routes)).test_client()


def spied(declared: AnyRoute, spy: SpyHandler) -> AnyRoute:
    """The same route with nothing behind it, and nothing to send."""
    return replace(declared, handler=spy, request=NoFields, query=NoFields, response=Shown, status=200)


def path_of(declared: AnyRoute) -> str:
    path = declared.template
    for name in declared.parameters:
        path = path.replace(f"{{{name}}}", "x")
    return path


@pytest.mark.parametrize("credential", [*MAY, ""])
@pytest.mark.parametrize("declared", ROUTES, ids=lambda route: route.name)
async def test_handler_is_reached_by_those_callers_alone_that_may(declared: AnyRoute, credential: str) -> None:
    spy = SpyHandler()

    ask = getattr(client(spied(declared, spy)), declared.method.lower())
    answer = await ask(path_of(declared), headers={"x-api-key": credential} if credential else {})

    allowed = declared.permission in MAY.get(credential, ())
    assert answer.status_code == (200 if allowed else 403 if credential else 401)
    assert len(spy.asked) == allowed


@pytest.mark.parametrize("credential", ["viewer", "team-admin", "llm"])
async def test_body_of_a_caller_who_may_not_is_never_looked_at(credential: str) -> None:
    steering = route(method=Method.POST, permission=Permission.CHANGE_GATEWAY, request=Wish)

    answer = await client(steering).post("/admin/v1/things", data=b"{", headers={"x-api-key": credential})

    assert answer.status_code == 403
    assert (await answer.get_json())["error"]["code"] == "forbidden"


@pytest.mark.parametrize(
    "other",
    [
        {"permission": None},
        {"permission": ""},
        {"permission": "see-gateway"},
        {"permission": Permission.CHANGE_GATEWAY},
        {"method": Method.POST},
        {"method": Method.DELETE, "permission": Permission.SEE_TENANTS},
        {"request": Wish},
        {"method": Method.DELETE, "permission": Permission.CHANGE_TENANTS, "request": Wish},
        {"response": None},
        {"status": 204},
    ],
)
def test_route_that_makes_no_sense_can_not_be_declared(other: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"/admin/v1/things"):
        route(**other)


def test_route_without_a_permission_can_not_be_declared() -> None:
    with pytest.raises(TypeError, match="permission"):
        Route(method=Method.GET, path="/x", summary="", handler=shown, response=Shown)  # type: ignore[call-arg]


def test_route_can_not_stand_twice_in_the_table() -> None:
    with pytest.raises(ValueError, match="twice: GET /things"):
        AdminApi(FindPrincipal(World().store), (route(), route(summary="the same")))


def test_every_role_is_spoken_of_and_no_principal_is_without_one() -> None:
    assert set(PERMISSIONS) == set(Role)
    with pytest.raises(ValueError, match="actor"):
        Principal("", Role.ADMIN)
    with pytest.raises(ValueError, match="role"):
        Principal("x", None)  # type: ignore[arg-type]


BAD_BODIES = [
    (b"{", None),
    (b"[]", None),
    (b'{"name": "a", "name": "b"}', None),
    (b'{"name": "\\ud800"}', None),
    (b"{}", "name"),
    (b"", "name"),
    (b'{"name": 1}', "name"),
    (b'{"name": null}', "name"),
    (b'{"name": "a", "nmae": "b"}', "nmae"),
    (b'{"name": "a", "kind": "c"}', "kind"),
    (b'{"name": "a", "sizes": [1, "2"]}', "sizes[1]"),
    (b'{"name": "a", "sizes": [true]}', "sizes[0]"),
    (b'{"name": "a", "names": {"b": 1.5}}', "names.b"),
]


@pytest.mark.parametrize(("body", "param"), BAD_BODIES)
async def test_body_that_is_not_as_declared_is_refused_by_the_name_of_the_field(body: bytes, param: str | None) -> None:
    spy = SpyHandler()
    posting = route(method=Method.POST, permission=Permission.CHANGE_GATEWAY, request=Wish, handler=spy)

    answer = await client(posting).post("/admin/v1/things", data=body, headers={"x-api-key": "admin"})

    error = (await answer.get_json())["error"]
    assert (answer.status_code, error["param"]) == (400, param)
    assert error["code"] == ("invalid_request" if param else "invalid_json")
    assert spy.asked == []


async def test_refusal_of_a_value_does_not_repeat_it() -> None:
    posting = route(method=Method.POST, permission=Permission.CHANGE_GATEWAY, request=Wish)
    body = json.dumps({"name": "a", "sizes": ["mg_secret"], "kind": "mg_secret"})

    answer = await client(posting).post("/admin/v1/things", data=body, headers={"x-api-key": "admin"})

    assert answer.status_code == 400
    assert "mg_secret" not in await answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("Limit=1", "Limit"),
        (f"after={'x' * 501}", "after"),
        ("after=%00", "after"),
        ("after=a%0Ab", "after"),
    ],
)
async def test_query_that_is_not_as_declared_is_refused_by_the_name_of_the_parameter(query: str, param: str) -> None:
    listing = route(query=PageQuery)

    answer = await client(listing).get(f"/admin/v1/things?{query}", headers={"x-api-key": "viewer"})

    assert answer.status_code == 400
    assert (await answer.get_json())["error"]["param"] == param


@pytest.mark.parametrize("thing_id", ["%00", "a%0D%0Ab", "a%7F"])
async def test_id_that_can_not_be_printed_reaches_no_handler(thing_id: str) -> None:
    spy = SpyHandler()

    answer = await client(route(path="/things/{thing_id}", handler=spy)).get(
        f"/admin/v1/things/{thing_id}", headers={"x-api-key": "admin"}
    )

    assert (answer.status_code, spy.asked) == (404, [])


async def test_handler_is_given_what_was_asked() -> None:
    spy = SpyHandler()
    declared = route(
        method=Method.PATCH,
        path="/things/{thing_id:path}/parts/{part_id}",
        permission=Permission.CHANGE_TENANTS,
        request=Change,
        query=Which,
        handler=spy,
    )

    answer = await client(declared).patch(
        "/admin/v1/things/a/b/parts/c?since=7", data=b'{"size": null}', headers={"x-api-key": "team-admin"}
    )

    assert await answer.get_json() == {"text": "seen"}
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    (asked,) = spy.asked
    assert asked.path == {"thing_id": "a/b", "part_id": "c"}
    assert asked.principal.role is Role.TEAM_ADMIN
    assert (asked.body.given(), asked.query.since) == ({"size": None}, 7)


async def test_page_is_of_a_hundred_where_nobody_says() -> None:
    spy = SpyHandler()

    await client(route(query=PageQuery, handler=spy)).get("/admin/v1/things", headers={"x-api-key": "viewer"})

    assert (spy.asked[0].query.limit, spy.asked[0].query.after) == (100, None)
