"""Keys, as administrators create, see, change, rotate and revoke them."""

from typing import Any

import pytest

from domain.keys import digest, is_well_formed
from domain.virtual_key import VirtualKey
from tests.integration.http.admin_world import NOW, OWN, PEPPER, World, world_client

NOTHING = {"rpm": None, "tpm": None, "max_parallel": None}
BUDGET = {"amount_usd": "50", "period": "daily", "timezone": "Europe/Kyiv", "hard": False}
STANDING = {**BUDGET, "spent_usd": "0", "reserved_usd": "0", "resets_at": "2026-11-23T22:00:00.000Z"}


async def test_key_is_created_with_all_that_was_sent_and_shown_with_its_secret_once() -> None:
    world = await World().settle_in()
    ask = world.client()
    body = {
        "name": "ci",
        "team_id": "t-own",
        "user_id": "u-one",
        "models": ["gpt-4", "gpt-3"],
        "tags": ["eu"],
        "routes": {"best": "gpt-4"},
        "limits": {"rpm": 60, "max_parallel": 2},
        "budget": BUDGET,
        "expires_at": "2027-01-01T00:00:00+02:00",
    }

    made = await ask("POST", "/keys", body)

    assert (made.status, made.headers["cache-control"]) == (201, "no-store")
    secret, key_id = made.json["key"], made.json["id"]
    assert is_well_formed(secret)
    assert secret.startswith(made.json["prefix"])
    assert {name: value for name, value in made.json.items() if name not in {"key", "id", "prefix"}} == {
        **body,
        "models": ["gpt-3", "gpt-4"],
        "scope": "llm",
        "limits": {"rpm": 60, "tpm": None, "max_parallel": 2},
        "budget": STANDING,
        "expires_at": "2026-12-31T22:00:00.000Z",
        "created_at": NOW,
        "blocked": False,
        "revoked_at": None,
    }
    assert (await ask("GET", f"/keys/{key_id}")).json == {k: v for k, v in made.json.items() if k != "key"}
    assert world.tenants.key_of(digest(PEPPER, secret)) == world.tenants.of(VirtualKey)[key_id]


async def test_key_of_nobody_needs_nothing_but_a_name() -> None:
    made = await (await world_client())("POST", "/keys", {"name": "plain"})

    shown = made.json
    assert (made.status, shown["team_id"], shown["user_id"], shown["budget"]) == (201, None, None, None)
    assert (shown["models"], shown["tags"], shown["routes"], shown["limits"]) == (None, [], {}, NOTHING)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a\u0000"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a", "team_id": "t-none"}, "team_id"),
        ({"name": "a", "team_id": "t:own"}, "team_id"),
        ({"name": "a", "user_id": "u-none"}, "user_id"),
        ({"name": "a", "user_id": "u-two", "team_id": "t-own"}, "user_id"),
        ({"name": "a", "scope": "admin"}, "user_id"),
        ({"name": "a", "scope": "root"}, "scope"),
        ({"name": "a", "models": "gpt-4"}, "models"),
        ({"name": "a", "models": [""]}, "models"),
        ({"name": "a", "tags": ["\n"]}, "tags"),
        ({"name": "a", "routes": {"x": ""}}, "routes"),
        ({"name": "a", "limits": {"rpm": 0}}, "limits.rpm"),
        ({"name": "a", "limits": {"rpm": 10**30}}, "limits.rpm"),
        ({"name": "a", "limits": {"rpm": "5"}}, "limits.rpm"),
        ({"name": "a", "limits": {"rps": 5}}, "limits.rps"),
        ({"name": "a", "expires_at": NOW}, "expires_at"),
        ({"name": "a", "expires_at": "tomorrow"}, "expires_at"),
        ({"name": "a", "expires_at": 1_900_000_000}, "expires_at"),
        ({"name": "a", "expires_at": "1969-12-31T23:59:59Z"}, "expires_at"),
        ({"name": "a", "expires_at": "9999-12-31T23:59:59-12:00"}, "expires_at"),
        ({"name": "a", "expires_at": "0001-01-01T00:00:00+14:00"}, "expires_at"),
        ({"name": "a", "models": [str(number) for number in range(1_001)]}, "models"),
        ({"name": "a", "routes": {str(number): "x" for number in range(1_001)}}, "routes"),
        ({"name": "a", "budget": {}}, "budget.amount_usd"),
        ({"name": "a", "budget": {"amount_usd": 50}}, "budget.amount_usd"),
        ({"name": "a", "budget": {"amount_usd": "9000000.000000001"}}, "budget.amount_usd"),
        ({"name": "a", "budget": {"amount_usd": "1", "period": "hourly"}}, "budget.period"),
        ({"name": "a", "budget": {"amount_usd": "1", "timezone": "Kyiv"}}, "budget.timezone"),
        ({"name": "a", "budget": {"amount_usd": "1", "timezone": "../../etc/passwd"}}, "budget.timezone"),
        ({"name": "a", "budget": {"amount_usd": "1", "hard": "yes"}}, "budget.hard"),
        ({"name": "a", "digest": "00"}, "digest"),
        ({"name": "a", "id": "k"}, "id"),
        ({"name": "a", "revoked_at": None}, "revoked_at"),
    ],
)
async def test_key_that_can_not_be_is_refused_by_the_name_of_the_field(body: dict[str, Any], param: str) -> None:
    world = await World().settle_in()

    refused = await world.client()("POST", "/keys", body)

    assert refused.error == (400, "invalid_request", param)
    assert world.tenants.log == []


@pytest.mark.parametrize(
    "amount",
    ["", " 1", "1 ", "+1", "-1", "1e3", "1.", ".5", "1.0000000001", "NaN", "Infinity", "0x1", "\u0661", "1,5", "1_0"],
)
async def test_amount_that_is_no_plain_decimal_is_refused(amount: str) -> None:
    refused = await (await world_client())("POST", "/keys", {"name": "a", "budget": {"amount_usd": amount}})

    assert refused.error == (400, "invalid_request", "budget.amount_usd")


@pytest.mark.parametrize(
    ("sent", "shown"),
    [("50", "50"), ("0", "0"), ("0.000000001", "0.000000001"), ("1.50", "1.5"), ("9000000", "9000000")],
)
async def test_amount_comes_back_to_the_nano_dollar(sent: str, shown: str) -> None:
    made = await (await world_client())("POST", "/keys", {"name": "a", "budget": {"amount_usd": sent}})

    assert made.json["budget"] == {
        "amount_usd": shown,
        "spent_usd": "0",
        "reserved_usd": "0",
        "resets_at": "2026-12-01T00:00:00.000Z",
        "period": "monthly",
        "timezone": "UTC",
        "hard": True,
    }


PATCHES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"name": "new"}, {"name": "new"}),
    ({"models": []}, {"models": []}),
    ({"models": ["a"]}, {"models": ["a"]}),
    ({"models": None}, {"models": None}),
    ({"tags": None}, {"tags": []}),
    ({"routes": None}, {"routes": {}}),
    ({"limits": {"rpm": None, "tpm": 9}}, {"limits": {"rpm": None, "tpm": 9, "max_parallel": 2}}),
    ({"limits": None}, {"limits": NOTHING}),
    ({"budget": {"amount_usd": "60"}}, {"budget": {**STANDING, "amount_usd": "60"}}),
    ({"budget": {"hard": True}}, {"budget": {**STANDING, "hard": True}}),
    ({"budget": None}, {"budget": None}),
    ({"expires_at": None}, {"expires_at": None}),
    ({"expires_at": "2028-01-01T00:00:00"}, {"expires_at": "2028-01-01T00:00:00.000Z"}),
    ({"blocked": True}, {"blocked": True}),
]


@pytest.mark.parametrize(("patch", "different"), PATCHES)
async def test_patch_changes_what_was_sent_and_null_removes_it(
    patch: dict[str, Any], different: dict[str, Any]
) -> None:
    ask = await world_client()
    body = {
        "name": "ci",
        "models": ["m"],
        "tags": ["eu"],
        "routes": {"a": "m"},
        "limits": {"rpm": 1, "max_parallel": 2},
        "budget": BUDGET,
        "expires_at": "2027-01-01T00:00:00Z",
    }
    made = (await ask("POST", "/keys", body)).json
    made.pop("key")

    changed = await ask("PATCH", f"/keys/{made['id']}", patch)

    assert (changed.status, changed.json) == (200, {**made, **different})
    assert (await ask("GET", f"/keys/{made['id']}")).json == changed.json


@pytest.mark.parametrize(
    ("patch", "param"),
    [
        ({"name": None}, "name"),
        ({"blocked": None}, "blocked"),
        ({"team_id": "t-foreign"}, "team_id"),
        ({"user_id": None}, "user_id"),
        ({"scope": "admin"}, "scope"),
        ({"expires_at": "1970-01-01T00:00:00Z"}, "expires_at"),
        ({"budget": {"period": "daily"}}, "budget.amount_usd"),
        ({"limits": {"tpm": -1}}, "limits.tpm"),
    ],
)
async def test_patch_of_what_must_stay_is_refused_by_the_name_of_the_field(patch: dict[str, Any], param: str) -> None:
    assert (await (await world_client())("PATCH", "/keys/k-nobody", patch)).error == (400, "invalid_request", param)


async def test_rotated_key_has_another_secret_and_the_one_before_is_nobodys() -> None:
    world = await World().settle_in()
    ask = world.client()
    made = (await ask("POST", "/keys", {"name": "a"})).json

    rotated = await ask("POST", f"/keys/{made['id']}/rotate")

    assert (rotated.status, rotated.headers["cache-control"]) == (200, "no-store")
    assert rotated.json["key"] != made["key"]
    assert rotated.json["key"].startswith(rotated.json["prefix"])
    assert world.tenants.key_of(digest(PEPPER, made["key"])) is None
    assert world.tenants.key_of(digest(PEPPER, rotated.json["key"])) is not None


async def test_revoked_key_stays_listed_and_can_not_come_back() -> None:
    world = await World().settle_in()
    ask = world.client()

    gone = await ask("DELETE", "/keys/k-own")

    assert (gone.status, gone.text) == (204, "")
    assert (await ask("GET", "/keys/k-own")).json["revoked_at"] == NOW
    assert "k-own" in [key["id"] for key in (await ask("GET", "/keys")).json["data"]]
    assert (await ask("POST", "/keys/k-own/rotate")).error == (409, "conflict", None)
    assert (await ask("PATCH", "/keys/k-own", {"blocked": False})).error == (409, "conflict", None)
    world.clock.advance(1_000_000)
    assert (await ask("DELETE", "/keys/k-own")).status == 204
    assert (await ask("GET", "/keys/k-own")).json["revoked_at"] == NOW
    assert [entry.action for entry in world.tenants.log] == ["key.revoke"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?team_id=t-own", ["k-own", "k-own-admin", "k-own-one"]),
        ("?team_id=t-own&user_id=u-one", ["k-own-admin", "k-own-one"]),
        ("?user_id=u-one", ["k-own-admin", "k-own-one", "k-personal"]),
        ("?team_id=t-none", []),
    ],
)
async def test_keys_are_listed_by_team_and_user(query: str, names: list[str]) -> None:
    listed = await (await world_client())("GET", f"/keys{query}")

    assert [key["id"] for key in listed.json["data"]] == names
    assert listed.json["next"] is None


@pytest.mark.parametrize("credential", ["admin", "viewer", "team-admin"])
async def test_list_in_pieces_is_the_list(credential: str) -> None:
    ask = await world_client(credential)
    whole = [key["id"] for key in (await ask("GET", "/keys")).json["data"]]

    pieces, after = [], ""
    for _ in range(20):
        page = (await ask("GET", f"/keys?limit=2{after}")).json
        assert len(page["data"]) <= 2
        pieces += [key["id"] for key in page["data"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"

    assert pieces == whole
    assert len(whole) == (3 if credential == "team-admin" else 7)


async def test_cursor_that_is_none_is_refused() -> None:
    for path in ("/keys", "/users", "/teams", "/budgets", "/audit", "/prices/overrides", f"/teams/{OWN}/members"):
        refused = await (await world_client())("GET", f"{path}?after=nonsense")
        assert refused.error == (400, "invalid_request", "after"), path


@pytest.mark.parametrize("key_id", ["none", "k-own%00", "k%20own", "%F0%9F%97%9D", "k-own'--", "x" * 300, "..%2Fkeys"])
async def test_key_that_is_not_there_is_404(key_id: str) -> None:
    ask = await world_client()

    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate")):
        answer = await ask(method, f"/keys/{key_id}{path}", {} if method == "PATCH" else None)
        assert answer.status == 404, (method, answer.text)
        assert answer.json["error"]["code"] == "not_found"
