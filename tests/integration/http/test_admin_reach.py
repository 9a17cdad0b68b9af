"""What each caller may see and change, thing by thing: its own, what it only sees, and what is hidden from it."""

from typing import Any

import pytest

from domain.tenants import Membership, Role, Team
from tests.integration.http.admin_world import OWN, World, whole_table, world_client

BUDGET = {"amount_usd": "1"}
NEW_KEY = {"name": "new"}

Ask = tuple[str, str, dict[str, Any] | None]

OWN_CHANGES: list[Ask] = [
    ("POST", "/keys", {**NEW_KEY, "team_id": "t-own"}),
    ("POST", "/keys", {**NEW_KEY, "team_id": "t-own", "user_id": "u-one", "limits": {"rpm": 1}, "budget": BUDGET}),
    ("PATCH", "/keys/k-own", {"limits": {"rpm": 1}, "budget": BUDGET, "models": ["a"], "blocked": True}),
    ("POST", "/keys/k-own-one/rotate", None),
    ("DELETE", "/keys/k-own-one", None),
    ("POST", "/teams/t-own/members", {"user_id": "u-two", "role": "team-admin"}),
    ("PATCH", "/teams/t-own/members/u-one", {"role": "team-admin", "budget": BUDGET}),
    ("DELETE", "/teams/t-own/members/u-one", None),
    ("PUT", "/budgets/key:k-own", BUDGET),
    ("DELETE", "/budgets/key:k-own", None),
    ("PUT", "/budgets/member:t-own:u-one", BUDGET),
    ("DELETE", "/budgets/member:t-own:u-one", None),
]
OWN_LOOKS = [
    "/keys/k-own",
    "/keys/k-own-admin",
    "/teams/t-own",
    "/teams/t-own/members",
    "/teams/t-own/members/u-one",
    "/users/u-one",
    "/users/u-team-admin",
    "/budgets/team:t-own",
    "/budgets/key:k-own",
    "/budgets/member:t-own:u-one",
]
SEEN_CHANGES: list[Ask] = [
    ("PATCH", "/teams/t-own", {"budget": {"amount_usd": "1000"}}),
    ("PATCH", "/teams/t-own", {"models": None}),
    ("PATCH", "/teams/t-own", {}),
    ("DELETE", "/teams/t-own", None),
    ("PUT", "/budgets/team:t-own", BUDGET),
    ("DELETE", "/budgets/team:t-own", None),
    ("PATCH", "/users/u-team-admin", {"role": "admin"}),
    ("PATCH", "/users/u-one", {"blocked": True}),
    ("DELETE", "/users/u-one", None),
    ("PATCH", "/keys/k-own-admin", {"name": "mine"}),
    ("POST", "/keys/k-own-admin/rotate", None),
    ("DELETE", "/keys/k-own-admin", None),
    ("PUT", "/budgets/key:k-own-admin", BUDGET),
    ("POST", "/keys", {**NEW_KEY, "team_id": "t-own", "user_id": "u-one", "scope": "admin"}),
    ("POST", "/keys", {**NEW_KEY, "user_id": "u-one"}),
    ("POST", "/keys", NEW_KEY),
    ("POST", "/teams", {"name": "new"}),
    ("POST", "/users", {"email": "new@example.org", "role": "admin"}),
    ("POST", "/prices/overrides", None),
]
HIDDEN: list[Ask] = [
    *(
        (method, path, {} if method == "PATCH" else BUDGET if method == "PUT" else None)
        for path, methods in {
            "/keys/k-foreign": ("GET", "PATCH", "DELETE"),
            "/keys/k-seen": ("GET", "PATCH", "DELETE"),
            "/keys/k-personal": ("GET", "PATCH", "DELETE"),
            "/keys/k-nobody": ("GET", "PATCH", "DELETE"),
            "/keys/k-foreign/rotate": ("POST",),
            "/keys/k-nobody/rotate": ("POST",),
            "/teams/t-foreign": ("GET", "PATCH", "DELETE"),
            "/teams/t-seen": ("GET", "PATCH", "DELETE"),
            "/teams/t-foreign/members": ("GET",),
            "/teams/t-foreign/members/u-two": ("GET", "PATCH", "DELETE"),
            "/users/u-two": ("GET", "PATCH", "DELETE"),
            "/users/u-admin": ("GET", "PATCH", "DELETE"),
            "/budgets/team:t-foreign": ("GET", "PUT", "DELETE"),
            "/budgets/team:t-seen": ("GET", "PUT", "DELETE"),
            "/budgets/key:k-foreign": ("GET", "PUT", "DELETE"),
            "/budgets/key:k-personal": ("GET", "PUT", "DELETE"),
            "/budgets/member:t-foreign:u-two": ("GET", "PUT", "DELETE"),
            "/budgets/user:u-one": ("GET", "PUT", "DELETE"),
        }.items()
        for method in methods
    ),
    ("POST", "/keys", {**NEW_KEY, "team_id": "t-foreign"}),
    ("POST", "/keys", {**NEW_KEY, "team_id": "t-none"}),
    ("POST", "/keys", {**NEW_KEY, "team_id": "t-foreign", "user_id": "u-admin", "scope": "admin"}),
    ("POST", "/teams/t-foreign/members", {"user_id": "u-team-admin", "role": "team-admin"}),
    ("POST", "/teams/t-seen/members", {"user_id": "u-one"}),
]
LISTS = {
    "/keys": ["k-own", "k-own-admin", "k-own-one"],
    "/keys?team_id=t-foreign": [],
    "/keys?user_id=u-one": ["k-own-admin", "k-own-one"],
    "/teams": ["t-own"],
    "/teams?name=foreign": [],
    "/users": ["u-one", "u-team-admin"],
    "/users?email=two@example.org": [],
    "/budgets": ["key:k-own", "key:k-own-admin", "member:t-own:u-one", "team:t-own"],
}


def named(ask: Ask) -> str:
    return f"{ask[0]} {ask[1]}"


@pytest.mark.parametrize("ask", OWN_CHANGES, ids=named)
async def test_who_manages_a_team_changes_its_keys_members_and_their_budgets(ask: Ask) -> None:
    world = await World().settle_in()

    answer = await world.client("team-admin")(*ask)

    assert answer.status in {200, 201, 204}, answer.text
    assert {entry.actor for entry in world.tenants.log} == {"user:u-team-admin/key:k-team-admin"}


@pytest.mark.parametrize("path", OWN_LOOKS)
async def test_who_manages_a_team_sees_what_belongs_to_it(path: str) -> None:
    assert (await (await world_client("team-admin"))("GET", path)).status == 200


@pytest.mark.parametrize("ask", SEEN_CHANGES, ids=named)
async def test_who_manages_a_team_can_not_set_what_bounds_it_nor_roles_nor_the_gateway(ask: Ask) -> None:
    world = await World().settle_in()

    answer = await world.client("team-admin")(*ask)

    assert answer.error == (403, "forbidden", None)
    assert world.tenants.log == []


@pytest.mark.parametrize("ask", HIDDEN, ids=named)
async def test_what_belongs_to_others_is_not_there_for_who_manages_a_team(ask: Ask) -> None:
    world = await World().settle_in()

    answer = await world.client("team-admin")(*ask)

    assert answer.error == (404, "not_found", None)
    assert world.tenants.log == []


@pytest.mark.parametrize(("path", "names"), LISTS.items())
async def test_lists_of_who_manages_a_team_hold_its_own_alone(path: str, names: list[str]) -> None:
    listed = (await (await world_client("team-admin"))("GET", path)).json

    assert [item["id"] for item in listed["data"]] == names
    assert listed["next"] is None


async def test_budget_of_a_users_personal_keys_is_hidden_from_who_manages_one_of_its_teams() -> None:
    ask = await world_client()

    assert (await ask("GET", "/users/u-one")).json["budget"]["amount_usd"] == "50"
    assert (await ask.as_("team-admin")("GET", "/users/u-one")).json["budget"] is None


@pytest.mark.parametrize("ask", [*OWN_CHANGES, *SEEN_CHANGES], ids=named)
async def test_viewer_changes_nothing(ask: Ask) -> None:
    world = await World().settle_in()

    assert (await world.client("viewer")(*ask)).error == (403, "forbidden", None)
    assert world.tenants.log == []


@pytest.mark.parametrize("credential", ["viewer", "admin", "master"])
@pytest.mark.parametrize("path", [*OWN_LOOKS, *(path for method, path, _ in HIDDEN if method == "GET")])
async def test_viewer_and_administrators_see_everything(path: str, credential: str) -> None:
    assert (await (await world_client(credential))("GET", path)).status == 200


@pytest.mark.parametrize("credential", ["admin", "master"])
@pytest.mark.parametrize("ask", [ask for ask in (*OWN_CHANGES, *SEEN_CHANGES[:-1], *HIDDEN[:-4]) if ask[0] != "GET"])
async def test_administrators_change_everything(ask: Ask, credential: str) -> None:
    answer = await (await world_client(credential))(*ask)

    # What is still referred to can't go whoever asks.
    assert answer.status in {200, 201, 204} or answer.json["error"]["code"] == "in_use", answer.text


@pytest.mark.parametrize("credential", ["llm", "stranger", ""])
@pytest.mark.parametrize("ask", [*OWN_CHANGES, *SEEN_CHANGES], ids=named)
async def test_key_for_models_and_a_stranger_change_nothing(ask: Ask, credential: str) -> None:
    world = await World().settle_in()

    assert (await world.client(credential)(*ask)).status == (403 if credential == "llm" else 401)
    assert world.tenants.log == []


def test_each_route_about_tenants_is_tried_above() -> None:
    tried = {(method, path.partition("?")[0].split("/")[1]) for method, path, _ in (*OWN_CHANGES, *SEEN_CHANGES)}
    tried |= {("GET", path.split("/")[1]) for path in OWN_LOOKS}
    tenants = {"keys", "teams", "users", "budgets"}

    table = {(str(route.method), route.path.split("/")[1]) for route in whole_table()}

    assert {pair for pair in table if pair[1] in tenants} <= tried | {("POST", "users")}


async def test_membership_without_the_role_opens_nothing() -> None:
    world = await World().settle_in()
    await world.client()("PATCH", "/teams/t-own/members/u-team-admin", {"role": "viewer"})

    ask = world.client("team-admin")

    assert (await ask("GET", "/teams/t-own")).status == 404
    assert (await ask("GET", "/keys")).json == {"data": [], "next": None}


async def test_who_manages_two_teams_sees_each_user_once() -> None:
    world = await World().settle_in()
    ask = world.client()
    await ask("PATCH", "/teams/t-seen/members/u-team-admin", {"role": "team-admin"})
    await ask("POST", "/teams/t-seen/members", {"user_id": "u-one"})

    listed = await ask.as_("team-admin")("GET", "/users")

    assert [user["id"] for user in listed.json["data"]] == ["u-one", "u-team-admin"]


BOUND = Team(OWN, "own", models=frozenset({"small", "eu", "big"}), routes={"big": "eu"})


@pytest.mark.parametrize(
    ("routes", "status"),
    [
        ({"x": "small"}, 200),
        ({"big": "eu"}, 200),
        ({}, 200),
        ({"x": "large"}, 403),
        ({"big": "small"}, 403),
        ({"x": "big"}, 403),
        ({"x": "small", "y": "large"}, 403),
    ],
)
async def test_routes_of_a_key_can_not_lead_out_of_what_its_team_may_use(routes: dict[str, str], status: int) -> None:
    world = await World().settle_in()
    world.tenants.of(Team)["t-own"] = BOUND
    ask = world.client("team-admin")

    assert (await ask("PATCH", "/keys/k-own", {"routes": routes})).status == status
    made = await ask("POST", "/keys", {"name": "a", "team_id": "t-own", "routes": routes})
    assert made.status == (201 if status == 200 else 403)
    assert (await world.client()("PATCH", "/keys/k-own", {"routes": routes})).status == 200


async def test_role_of_admin_can_not_be_given_inside_a_team() -> None:
    world = await World().settle_in()

    for credential in ("team-admin", "admin"):
        refused = await world.client(credential)("PATCH", "/teams/t-own/members/u-one", {"role": "admin"})
        assert refused.error == (400, "invalid_request", "role")
    assert world.tenants.of(Membership)["t-own:u-one"].role is Role.VIEWER
