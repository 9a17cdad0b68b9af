"""Whose stored replies are whose, and what a hit has to pass."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e import raw_http
from tests.e2e.behaviour import Behaviour
from tests.e2e.cache_clients import CHAT, ask, text_of
from tests.e2e.fleet import Fleet
from tests.e2e.money_tenants import Key, admin, make_key, make_member, make_team
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

RPM = 2


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def keys(cache_fleet: Fleet) -> list[Key]:
    """Two of one team, and one of another."""
    (gateway, *_) = await cache_fleet.at_least(2)
    found = []
    for team in ("cache-a", "cache-b"):
        team_id = await make_team(gateway, team, None)
        user_id = await make_member(gateway, team_id, f"{team}-user", None)
        found += [await make_key(gateway, f"{team}-{number}", team_id, user_id, None) for number in (1, 2)]
    return found[:3]


def answer(reply: raw_http.RawReply) -> tuple[int, str, str]:
    return reply.status, reply.headers["x-cache"], text_of(reply).partition(":")[0]


async def test_a_team_never_receives_the_entry_of_another(
    cache_fleet: Fleet, fleet_upstream: ScriptedUpstream, keys: list[Key]
) -> None:
    lane, (first, mate, stranger) = fleet_upstream.lane("mine"), keys
    lane.numbered = True

    answers = [
        answer(await ask(cache_fleet.next(), "mine", key=secret))
        for secret in (first.secret, stranger.secret, None, mate.secret, stranger.secret, first.secret, None)
    ]

    assert answers == [
        (200, "MISS", "#1"),
        (200, "MISS", "#2"),
        (200, "MISS", "#3"),
        (200, "HIT", "#1"),
        (200, "HIT", "#2"),
        (200, "HIT", "#1"),
        (200, "HIT", "#3"),
    ]


async def test_teams_that_ask_the_same_at_once_make_a_call_each(
    cache_fleet: Fleet, fleet_upstream: ScriptedUpstream, keys: list[Key]
) -> None:
    lane, (first, mate, stranger) = fleet_upstream.lane("rush"), keys
    lane.default, lane.numbered = Behaviour(delay_s=0.5), True

    async def herd(key: Key) -> set[str]:
        replies = await asyncio.gather(*(ask(cache_fleet.next(), "rush", key=key.secret) for _ in range(12)))
        return {text_of(reply) for reply in replies}

    ours, mates, theirs = await asyncio.gather(herd(first), herd(mate), herd(stranger))

    assert ours == mates
    assert [len(ours), len(theirs), len(ours | theirs), len(lane.requests)] == [1, 1, 2, 2]


async def test_a_hit_needs_a_key(cache_fleet: Fleet, keys: list[Key]) -> None:
    gateway, body = cache_fleet.next(), raw_http.chat("mine", temperature=0)
    for _ in range(2):
        stored = await ask(gateway, "mine", key=keys[0].secret)
    assert answer(stored)[:2] == (200, "HIT")

    for headers in ({}, {"authorization": f"Bearer {keys[0].secret}x"}):
        refused = await raw_http.exchange(gateway.port, raw_http.post(CHAT, body, headers))
        assert refused.status == 401
        assert "x-cache" not in refused.headers


async def test_hits_count_against_the_limit_of_their_key(
    cache_fleet: Fleet, fleet_upstream: ScriptedUpstream, keys: list[Key]
) -> None:
    fields = {"name": "limited", "team_id": keys[0].team_id, "user_id": keys[0].user_id, "limits": {"rpm": RPM}}
    secret = (await admin(cache_fleet.next(), "/keys", fields))["key"]

    assert answer(await ask(cache_fleet.next(), "limited", key=secret))[:2] == (200, "MISS")
    for _ in range(RPM - 1):
        assert answer(await ask(cache_fleet.next(), "limited", key=secret))[:2] == (200, "HIT")
    for stream in (False, True):
        refused = await ask(cache_fleet.next(), "limited", key=secret, stream=stream)
        assert (refused.status, refused.json()["error"]["code"]) == (429, "rate_limit_exceeded")

    assert len(fleet_upstream.lane("limited").requests) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_a_hit_is_recorded_at_no_cost(cache_fleet: Fleet, keys: list[Key], *, stream: bool) -> None:
    key = keys[0]
    fetched = await ask(cache_fleet.next(), "recorded", key=key.secret, seed=int(stream))
    found = await ask(cache_fleet.next(), "recorded", key=key.secret, seed=int(stream), stream=stream)
    assert (fetched.headers["x-cache"], found.headers["x-cache"]) == ("MISS", "HIT")

    shown = await records(cache_fleet, found.headers["x-request-id"])
    paid = await records(cache_fleet, fetched.headers["x-request-id"])

    wanted = {"attempt": 0, "cost_usd": "0", "cache_hit": True, "outcome": "success", "stream": stream}
    wanted |= {"key_id": key.id, "team_id": key.team_id, "input_tokens": 0, "output_tokens": 0, "instance": None}
    assert {name: shown[name] for name in wanted} == wanted
    assert (paid["attempt"], paid["cost_usd"], paid["cache_hit"]) == (1, "0.004", False)


async def records(fleet: Fleet, request_id: str) -> dict[str, Any]:
    """The only usage record of that request, as soon as it is in the ledger."""
    found: list[dict[str, Any]] = []

    async def written() -> bool:
        found[:] = (await admin(fleet.next(), f"/usage/records?request_id={request_id}"))["data"]
        return bool(found)

    await eventually(written, within_s=15, what="the record")
    (record,) = found
    return record
