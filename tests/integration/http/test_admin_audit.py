"""The audit log as it is read: everything that was changed, and by whom."""

import pytest

from domain.audit import Change
from domain.tenants import Role, User, UserId
from tests.integration.http.admin_world import NOW, World, key


async def changed_world() -> World:
    world = await World().settle_in()
    ask = world.client("master")
    await ask("PATCH", "/keys/k-foreign", {"limits": {"rpm": 5}, "budget": None})
    await ask.as_("team-admin")("PATCH", "/keys/k-own", {"name": "renamed"})
    await ask.as_("admin")("PATCH", "/teams/t-own", {"budget": {"amount_usd": "51"}})
    await ask.as_("team-admin")("PATCH", "/teams/t-own/members/u-one", {"role": "team-admin"})
    await ask("PATCH", "/users/u-one", {"role": "admin"})
    await ask("PATCH", "/keys/k-personal", {"name": "renamed"})
    return world


async def test_each_change_is_told_with_who_when_before_and_after() -> None:
    world = await changed_world()

    told = (await world.client()("GET", "/audit")).json["data"]

    assert [(entry["revision"], entry["actor"], entry["action"], entry["target"]) for entry in told] == [
        (7, "master", "key.update", "key:k-personal"),
        (6, "master", "user.update", "user:u-one"),
        (5, "user:u-team-admin/key:k-team-admin", "member.update", "member:t-own:u-one"),
        (4, "user:u-admin/key:k-admin", "budget.update", "budget:team:t-own"),
        (3, "user:u-team-admin/key:k-team-admin", "key.update", "key:k-own"),
        (2, "master", "budget.delete", "budget:key:k-foreign"),
        (1, "master", "key.update", "key:k-foreign"),
    ]
    assert {entry["at"] for entry in told} == {NOW}
    assert (told[1]["before"]["role"], told[1]["after"]["role"]) == ("viewer", "admin")
    assert (told[5]["before"]["amount_nano"], told[5]["after"]) == (50_000_000_000, None)


@pytest.mark.parametrize(
    ("credential", "revisions"),
    [("admin", [7, 6, 5, 4, 3, 2, 1]), ("viewer", [7, 6, 5, 4, 3, 2, 1]), ("team-admin", [5, 4, 3])],
)
@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_entries_come_in_pieces_and_each_caller_reads_those_of_what_it_sees(
    credential: str, revisions: list[int], limit: int
) -> None:
    ask = (await changed_world()).client(credential)
    found: list[int] = []
    after = ""

    for _ in range(20):
        page = (await ask("GET", f"/audit?limit={limit}{after}")).json
        assert len(page["data"]) <= limit
        found += [entry["revision"] for entry in page["data"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"

    assert found == revisions


@pytest.mark.parametrize(
    ("credential", "target", "count"),
    [
        ("admin", "user:u-one", 1),
        ("admin", "budget:team:t-own", 1),
        ("admin", "key:none", 0),
        ("team-admin", "key:k-own", 1),
        ("team-admin", "key:k-foreign", 0),
        ("team-admin", "budget:key:k-foreign", 0),
        ("team-admin", "user:u-one", 0),
    ],
)
async def test_entries_of_one_target_are_found(credential: str, target: str, count: int) -> None:
    told = await (await changed_world()).client(credential)("GET", f"/audit?target={target}")

    assert [entry["target"] for entry in told.json["data"]] == [target] * count


async def test_what_was_asked_for_and_is_already_so_is_no_change() -> None:
    world = await World().settle_in()
    ask = world.client()

    for method, path, body in (
        ("PATCH", "/keys/k-own", {"name": "k-own", "budget": {"amount_usd": "50"}}),
        ("PATCH", "/teams/t-own", {"name": "own"}),
        ("PATCH", "/users/u-one", {"role": "viewer"}),
        ("PATCH", "/keys/k-nobody", {"budget": None}),
        ("PUT", "/budgets/team:t-own", {"amount_usd": "50"}),
    ):
        assert (await ask(method, path, body)).status == 200

    assert world.tenants.log == []


async def test_long_stretch_about_others_ends_with_a_cursor_and_not_with_all_of_the_log() -> None:
    world = await changed_world()
    for number in range(30):
        user = User(UserId(f"u-{number}"), f"{number}@x", Role.VIEWER)
        await world.store.apply([Change("user.create", f"user:{user.id}", None, user)], "test")
    ask = world.client("team-admin")

    first = (await ask("GET", "/audit?limit=1")).json
    second = (await ask("GET", f"/audit?limit=1&after={first['next']}")).json

    assert first["data"] == []
    assert [entry["revision"] for entry in second["data"]] == [5]


async def test_no_entry_holds_what_a_secret_can_be_found_by() -> None:
    world = await World().settle_in()
    ask = world.client()
    made = (await ask("POST", "/keys", {"name": "a"})).json
    await ask("POST", f"/keys/{made['id']}/rotate")

    told = (await ask("GET", "/audit")).text

    assert "key.rotate" in told
    assert "digest" not in told
    assert key("k-own").digest.hex() not in told
    assert made["key"] not in told
