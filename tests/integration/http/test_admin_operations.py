"""Dead letters, events and limits, as operators see them."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import pytest

from adapters.testing.usage_journal_contract import outcome
from application.errors import StateUnavailable
from domain.budget.charge import AccountId, BudgetId
from domain.chat import Endpoint
from domain.events import BudgetDrifted
from domain.limits.limit import Algorithm
from domain.limits.rate_policy import RatePolicy
from domain.usage_stream import UsageDepth
from tests.integration.http.admin_world import NOW, World

NO_RECORD = b"\x00 no record"


async def world_with_letters(*records: bytes) -> World:
    world = await World().settle_in()
    for number, record in enumerate(records):
        await world.stream.append(record, f"r/{number}:1")
    for entry in await world.stream.read("w", len(records), 0):
        await world.stream.dead_letter(entry, "no such day")
    return world


async def test_dead_letter_is_shown_with_its_record_or_the_bytes_that_are_none() -> None:
    world = await world_with_letters(outcome(1).to_bytes(), NO_RECORD)

    first, second = (await world.client("viewer")("GET", "/dlq")).json["data"]

    assert (first["record"]["request_id"], first["record"]["cost_usd"]) == (outcome(1).request_id, "0.0000042")
    assert first["payload_base64"] is None
    assert second == {
        "id": "r/1:1",
        "error": "no such day",
        "deliveries": 1,
        "died_at": NOW,
        "record": None,
        "payload_base64": b64encode(NO_RECORD).decode(),
    }


async def test_dead_letters_are_listed_in_pages() -> None:
    ask = (await world_with_letters(*[NO_RECORD] * 3)).client()

    first = (await ask("GET", "/dlq?limit=2")).json
    last = (await ask("GET", f"/dlq?limit=2&after={first['next']}")).json

    assert [letter["id"] for letter in (*first["data"], *last["data"])] == ["r/0:1", "r/1:1", "r/2:1"]
    assert last["next"] is None
    assert (await ask("GET", "/dlq?after=x")).error == (400, "invalid_request", "after")


async def test_dead_letter_is_replayed_or_discarded_once() -> None:
    world = await world_with_letters(NO_RECORD, NO_RECORD)
    ask = world.client()

    assert (await ask("POST", "/dlq/r/0:1/replay")).status == 204
    assert (await ask("DELETE", "/dlq/r/1:1")).status == 204

    assert (await ask("POST", "/dlq/r/0:1/replay")).error == (404, "not_found", None)
    assert (await ask("DELETE", "/dlq/r/1:1")).error == (404, "not_found", None)
    assert await world.stream.depth() == UsageDepth(1, 0, 0)
    assert [(entry.actor, entry.action, entry.target) for entry in world.tenants.log[-2:]] == [
        ("user:u-admin/key:k-admin", "dead-letter.replay", "dead-letter:r/0:1"),
        ("user:u-admin/key:k-admin", "dead-letter.discard", "dead-letter:r/1:1"),
    ]


@pytest.mark.parametrize("credential", ["viewer", "team-admin"])
async def test_only_administrators_replay_and_discard(credential: str) -> None:
    world = await world_with_letters(NO_RECORD)
    ask = world.client(credential)

    assert (await ask("POST", "/dlq/r/0:1/replay")).status == 403
    assert (await ask("DELETE", "/dlq/r/0:1")).status == 403
    assert await world.stream.depth() == UsageDepth(0, 0, 1)


@dataclass
class AwayStream:
    async def list_dead(self, _limit: int, _after: str | None = None) -> None:
        raise StateUnavailable("redis is away")

    async def replay(self, _record_id: str) -> bool:
        raise StateUnavailable("redis is away")

    discard = replay


@pytest.mark.parametrize("ask", [("GET", "/dlq"), ("POST", "/dlq/x/replay"), ("DELETE", "/dlq/x")])
async def test_dead_letters_that_can_not_be_reached_are_503_and_never_404(ask: tuple[str, str]) -> None:
    world = World()
    world.stream = AwayStream()  # type: ignore[assignment]

    assert (await world.client()(*ask)).error == (503, "state_unavailable", None)


async def test_events_of_a_stream_are_shown_latest_first() -> None:
    world = World()
    for ledger_nano in (1, 2, 3):
        world.history.publish(BudgetDrifted(AccountId("team:t"), BudgetId("team:t"), "2026-11", 0, ledger_nano))
    ask = world.client("viewer")

    shown = (await ask("GET", "/events?stream=budget_events&limit=2")).json

    fields = {"account": "team:t", "budget": "team:t", "period": "2026-11", "counted_nano": "0"}
    assert shown == {
        "data": [
            {"kind": "budget_drifted", "at": NOW, "fields": {**fields, "ledger_nano": "3"}},
            {"kind": "budget_drifted", "at": NOW, "fields": {**fields, "ledger_nano": "2"}},
        ],
        "next": None,
    }
    assert (await ask("GET", "/events?stream=circuit_events")).json == {"data": [], "next": None}


@pytest.mark.parametrize(
    ("query", "param"), [("", "stream"), ("?stream=x", "stream"), ("?stream=usage_events&limit=0", "limit")]
)
async def test_events_of_no_stream_are_refused(query: str, param: str) -> None:
    assert (await World().client()("GET", f"/events{query}")).error == (400, "invalid_request", param)


LIMITS: list[tuple[RatePolicy, dict[str, Any]]] = [
    (RatePolicy(), dict.fromkeys(Endpoint, (None, False))),
    (
        RatePolicy(Algorithm.TOKEN_BUCKET, 60, {Endpoint.CHAT: 100}),
        dict.fromkeys(Endpoint, (60, False)) | dict.fromkeys(["chat", "messages", "responses"], (100, True)),
    ),
]


@pytest.mark.parametrize(("policy", "endpoints"), LIMITS)
async def test_limits_in_force_are_shown_by_endpoint(policy: RatePolicy, endpoints: dict[str, Any]) -> None:
    shown = (await World(rate_policy=policy).client("viewer")("GET", "/limits")).json

    assert {one["endpoint"]: (one["rpm"], one["own_count"]) for one in shown.pop("endpoints")} == endpoints
    assert shown == {
        "enabled": True,
        "algorithm": policy.algorithm.value,
        "on_store_failure": "degrade",
        "global_rpm": policy.everywhere,
    }
