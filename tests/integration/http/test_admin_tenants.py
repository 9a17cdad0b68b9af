"""Users, teams and members, as administrators set them."""

from typing import Any

import pytest

from domain.tenants import Role
from tests.integration.http.admin_world import NOW, World, world_client

NOTHING = {"rpm": None, "tpm": None, "max_parallel": None}
TOTAL = {"amount_usd": "5", "period": "total", "timezone": "UTC", "hard": True}
STANDING = {**TOTAL, "spent_usd": "0", "reserved_usd": "0", "resets_at": None}


async def test_team_is_created_with_its_budget() -> None:
    body = {"name": "new", "models": ["m"], "tags": ["eu"], "routes": {"a": "m"}, "limits": {"tpm": 5}, "budget": TOTAL}

    made = await (await world_client())("POST", "/teams", body)

    assert made.status == 201
    assert made.json.pop("id").startswith("team_")
    shown = {name: value for name, value in made.json.items() if name != "id"}
    assert shown == {
        **body,
        "limits": {**NOTHING, "tpm": 5},
        "budget": STANDING,
        "blocked": False,
        "created_at": NOW,
    }


async def test_user_is_created_and_is_a_viewer_where_nobody_says() -> None:
    ask = await world_client()

    made = await ask("POST", "/users", {"email": "a@example.org"})

    assert made.status == 201
    assert made.json["id"].startswith("user_")
    assert {name: value for name, value in made.json.items() if name != "id"} == {
        "email": "a@example.org",
        "role": "viewer",
        "limits": NOTHING,
        "budget": None,
        "blocked": False,
        "created_at": NOW,
    }
    assert (await ask("GET", f"/users/{made.json['id']}")).json == made.json


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/users", {"email": "one@example.org"}, "email"),
        ("/teams", {"name": "own"}, "name"),
        ("/teams/t-own/members", {"user_id": "u-one"}, "user_id"),
    ],
)
async def test_what_exists_can_not_be_created_again(path: str, body: dict[str, Any], param: str) -> None:
    assert (await (await world_client())("POST", path, body)).error == (409, "already_exists", param)


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [("/users/u-two", {"email": "one@example.org"}, "email"), ("/teams/t-seen", {"name": "own"}, "name")],
)
async def test_name_of_another_can_not_be_taken(path: str, body: dict[str, Any], param: str) -> None:
    assert (await (await world_client())("PATCH", path, body)).error == (409, "already_exists", param)


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/users", {}, "email"),
        ("/users", {"email": "nobody"}, "email"),
        ("/users", {"email": "a@b\r\nbcc: c"}, "email"),
        ("/users", {"email": "a@b", "role": "root"}, "role"),
        ("/users", {"email": "a@b", "role": None}, "role"),
        ("/users", {"email": "a@b", "id": "u-admin"}, "id"),
        ("/teams", {}, "name"),
        ("/teams", {"name": "\t"}, "name"),
        ("/teams", {"name": "a", "routes": {"": "b"}}, "routes"),
        ("/teams", {"name": "a", "budget": {"amount_usd": "-1"}}, "budget.amount_usd"),
        ("/teams/t-own/members", {"user_id": "u-none"}, "user_id"),
        ("/teams/t-own/members", {"user_id": "u-two", "team_id": "t-own"}, "team_id"),
    ],
)
async def test_what_can_not_be_is_refused_by_the_name_of_the_field(path: str, body: dict[str, Any], param: str) -> None:
    world = await World().settle_in()

    assert (await world.client()("POST", path, body)).error == (400, "invalid_request", param)
    assert world.tenants.log == []


@pytest.mark.parametrize(
    ("path", "patch"),
    [
        ("/users/u-one", {"email": "other@example.org"}),
        ("/users/u-one", {"role": "admin"}),
        ("/users/u-one", {"blocked": True}),
        ("/users/u-one", {"limits": {"rpm": 7, "tpm": None, "max_parallel": None}}),
        ("/users/u-one", {"budget": None}),
        ("/teams/t-own", {"name": "other"}),
        ("/teams/t-own", {"models": []}),
        ("/teams/t-own", {"blocked": True}),
        ("/teams/t-own", {"budget": None}),
        ("/teams/t-own/members/u-one", {"role": "team-admin"}),
        ("/teams/t-own/members/u-one", {"budget": None}),
    ],
)
async def test_patch_changes_what_was_sent_and_nothing_else(path: str, patch: dict[str, Any]) -> None:
    ask = await world_client()
    before = (await ask("GET", path)).json

    changed = await ask("PATCH", path, patch)

    assert (changed.status, changed.json) == (200, {**before, **patch})
    assert (await ask("GET", path)).json == changed.json != before


async def test_team_with_keys_stays_until_they_are_revoked() -> None:
    world = await World().settle_in()
    ask = world.client()

    assert (await ask("DELETE", "/teams/t-foreign")).error == (409, "in_use", None)
    await ask("DELETE", "/keys/k-foreign")
    assert (await ask("DELETE", "/teams/t-foreign")).status == 204

    for path in ("/teams/t-foreign", "/teams/t-foreign/members/u-two", "/budgets/team:t-foreign"):
        assert (await ask("GET", path)).status == 404
    assert (await ask("GET", "/keys/k-foreign")).json["team_id"] == "t-foreign"


async def test_member_goes_with_its_budget() -> None:
    ask = await world_client()

    assert (await ask("DELETE", "/teams/t-own/members/u-one")).status == 204

    assert (await ask("GET", "/teams/t-own/members/u-one")).status == 404
    assert (await ask("GET", "/budgets/member:t-own:u-one")).status == 404
    assert (await ask("POST", "/teams/t-own/members", {"user_id": "u-one"})).json["budget"] is None
    await ask("DELETE", "/teams/t-own/members/u-one")
    added = await ask("POST", "/teams/t-own/members", {"user_id": "u-one", "budget": TOTAL})
    assert added.json == {"user_id": "u-one", "team_id": "t-own", "role": "viewer", "budget": STANDING}


async def test_users_and_teams_are_found_by_their_names() -> None:
    ask = await world_client()

    users = (await ask("GET", "/users?email=two%40example.org")).json["data"]
    teams = (await ask("GET", "/teams?name=seen")).json["data"]
    members = (await ask("GET", "/teams/t-own/members?limit=1")).json

    assert ([user["id"] for user in users], [team["id"] for team in teams]) == (["u-two"], ["t-seen"])
    assert [member["user_id"] for member in members["data"]] == ["u-one"]
    assert members["next"] is not None


@pytest.mark.parametrize("role", Role)
async def test_every_role_can_be_given_to_a_user(role: Role) -> None:
    made = await (await world_client())("POST", "/users", {"email": "a@b", "role": role})

    assert (made.status, made.json["role"]) == (201, role)
