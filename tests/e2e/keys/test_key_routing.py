"""What a key may use, and what it gets for a name: each tenant its own, over all gateways."""

import asyncio
import itertools
from typing import Any

import pytest

from tests.e2e.keys.key_fleet import KeyFleet, ask
from tests.e2e.support import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

_numbers = itertools.count()


async def team(keys: KeyFleet, **fields: object) -> str:
    return str((await keys.made("/teams", name=f"routed {next(_numbers)}", **fields))["id"])


async def served(keys: KeyFleet, secret: str, model: str = "gpt", count: int = 8) -> set[str]:
    """The instances that served so many requests, dealt out over the gateways."""
    replies = [await ask(keys.fleet.next(), secret, model) for _ in range(count)]
    assert {reply.status for reply in replies} == {200}, replies
    assert {reply.json()["model"] for reply in replies} == {model}
    return {reply.headers["x-moongate-instance"] for reply in replies}


async def test_audit_behavioural_5_tenants_that_ask_for_one_model_are_served_by_instances_of_their_own(
    keys: KeyFleet,
) -> None:
    europe = await keys.key(team_id=await team(keys, tags=["eu"]))
    america = await keys.key(team_id=await team(keys, tags=["us"]))
    anywhere = await keys.key()

    found = await asyncio.gather(*(served(keys, key.secret, count=40) for key in (europe, america, anywhere)))

    assert found == [{"gpt-eu"}, {"gpt-us"}, {"gpt-eu", "gpt-us"}]


async def test_audit_behavioural_5_a_key_and_its_team_get_another_model_for_a_name(keys: KeyFleet) -> None:
    routed = await team(keys, routes={"gpt": "mini"})
    by_team = await keys.key(team_id=routed)
    by_key = await keys.key(team_id=routed, routes={"gpt": "claude"})
    by_route = await keys.key(routes={"gpt": "smart", "claude": "gpt"})

    assert await served(keys, by_team.secret) == {"mini"}
    assert await served(keys, by_key.secret) == {"claude-eu"}
    assert await served(keys, by_route.secret, count=40) == {"claude-eu", "mini"}
    assert await served(keys, by_route.secret, "claude", count=40) == {"gpt-eu", "gpt-us"}
    assert await served(keys, by_key.secret, "mini") == {"mini"}


async def test_audit_behavioural_5_a_new_route_of_a_team_is_taken_by_all_gateways_within_a_second(
    keys: KeyFleet,
) -> None:
    routed = await team(keys, routes={"gpt": "mini"})
    key = await keys.key(team_id=routed)
    await keys.keep(key.secret)
    assert await served(keys, key.secret) == {"mini"}

    await keys.changed(f"/teams/{routed}", routes={"gpt": "claude"})

    async def taken() -> bool:
        replies = await keys.everywhere(key.secret)
        return {reply.headers["x-moongate-instance"] for reply in replies} == {"claude-eu"}

    await eventually(taken, within_s=1, what="both gateways take the new route")


@pytest.mark.parametrize(
    ("team_models", "key_models", "allowed"),
    [
        (None, ["gpt"], {"gpt"}),
        (["gpt", "mini"], None, {"gpt", "mini"}),
        (["gpt", "mini"], ["mini", "claude"], {"mini"}),
        (["gpt"], ["claude"], set()),
        (None, [], set()),
    ],
)
async def test_a_key_may_use_what_it_and_its_team_allow(
    keys: KeyFleet, team_models: list[str] | None, key_models: list[str] | None, allowed: set[str]
) -> None:
    key = await keys.key(team_id=await team(keys, models=team_models), models=key_models)

    replies: dict[str, Any] = {
        model: await ask(keys.fleet.next(), key.secret, model) for model in ("gpt", "claude", "mini")
    }

    assert {model for model, reply in replies.items() if reply.status == 200} == allowed
    refused = [reply for reply in replies.values() if reply.status != 200]
    assert {(reply.status, reply.json()["error"]["code"]) for reply in refused} == {(403, "model_not_allowed")}


async def test_a_route_of_a_key_needs_no_permission_for_where_it_leads(keys: KeyFleet) -> None:
    key = await keys.key(models=["gpt"], routes={"gpt": "claude"})

    assert await served(keys, key.secret) == {"claude-eu"}
    assert (await ask(keys.gateways[0], key.secret, "claude")).status == 403


async def test_a_key_whose_tags_no_instance_carries_is_told_so_and_asks_nobody(keys: KeyFleet) -> None:
    key = await keys.key(tags=["eu", "us"])

    reply = await ask(keys.gateways[0], key.secret)

    assert reply.status in {403, 503}
    assert reply.headers.get("x-moongate-attempts", "0") == "0"
