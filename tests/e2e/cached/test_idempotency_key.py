"""Requests that carry an `Idempotency-Key`, at whichever gateway they arrive."""

import asyncio
import secrets
from typing import Any

import pytest

from tests.e2e import raw_http
from tests.e2e.behaviour import Behaviour, failing
from tests.e2e.cache_clients import ask, question, text_of
from tests.e2e.fleet import Fleet
from tests.e2e.gateway_process import Gateway
from tests.e2e.money_tenants import make_key, make_member, make_team
from tests.e2e.openai_wire import whole_text
from tests.e2e.scripted_upstream import Lane, ScriptedUpstream
from tests.e2e.support import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

IN_USE = (409, "idempotency_key_in_use")
REUSED = (422, "idempotency_key_reused")


class Once:
    """Requests with one key. Nothing but that key makes them one: no stored reply may answer them."""

    def __init__(self) -> None:
        self.headers = {"idempotency-key": secrets.token_hex(16)}

    async def ask(self, gateway: Gateway, model: str, **more: Any) -> raw_http.RawReply:
        return await ask(gateway, model, headers=self.headers, **{"temperature": 1, **more})


def error_of(reply: raw_http.RawReply) -> tuple[int, str]:
    return reply.status, reply.json()["error"]["code"]


async def until_called(lane: Lane) -> None:
    await eventually(lambda: lane.requests, within_s=10, what="the call upstream")


async def test_a_key_is_in_use_while_its_first_request_runs_and_answers_ever_after(
    cache_fleet: Fleet, fleet_upstream: ScriptedUpstream
) -> None:
    once, lane, (here, there, *_) = Once(), fleet_upstream.lane("once"), await cache_fleet.at_least(2)
    lane.default, lane.numbered = Behaviour(delay_s=1), True
    running = asyncio.create_task(once.ask(here, "once"))
    await until_called(lane)

    for gateway in (here, there):
        assert error_of(await once.ask(gateway, "once")) == IN_USE
        assert error_of(await once.ask(gateway, "once", max_tokens=7)) == IN_USE
    first = await running
    # The reply is on its way before it is stored: for that moment its key is still in use.
    replayed = [await settled(once, gateway, "once") for gateway in (there, here)]
    for gateway in (here, there):
        assert error_of(await once.ask(gateway, "once", max_tokens=7)) == REUSED
        assert error_of(await once.ask(gateway, "once", stream=True)) == REUSED

    assert (first.status, text_of(first)) == (200, whole_text("once", Behaviour(mark="#1:")))
    assert "idempotency-replayed" not in first.headers
    for reply in replayed:
        assert (reply.status, reply.body, reply.headers["idempotency-replayed"]) == (200, first.body, "true")
        assert reply.headers["x-moongate-cost"] == "0"
    assert len(lane.requests) == 1


async def test_a_stream_is_replayed_as_it_was(cache_fleet: Fleet, fleet_upstream: ScriptedUpstream) -> None:
    once, lane, (here, there, *_) = Once(), fleet_upstream.lane("once-stream"), await cache_fleet.at_least(2)
    lane.numbered = True

    first = await once.ask(here, "once-stream", stream=True)
    await eventually(lambda: lane.requests[0].ended_s, within_s=5, what="the end upstream")
    replayed = await settled(once, there, "once-stream", stream=True)

    assert first.events()[-1] == "[DONE]"
    assert replayed.events() == first.events()
    assert replayed.headers["idempotency-replayed"] == "true"
    assert len(lane.requests) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_the_retry_of_a_client_that_left_gets_the_reply_of_the_one_call(
    cache_fleet: Fleet, fleet_upstream: ScriptedUpstream, *, stream: bool
) -> None:
    once, lane, (here, there, *_) = Once(), fleet_upstream.lane("once-gone"), await cache_fleet.at_least(2)
    lane.requests.clear()
    lane.default, lane.numbered = Behaviour(delay_s=0.3, chunks=10, chunk_delay_s=0.05), True
    async with raw_http.RawConnection(here.port) as leaving:
        await leaving.send(question(here, "once-gone", stream=stream, headers=once.headers, temperature=1))
        await until_called(lane)

    reply = await settled(once, there, "once-gone", stream=stream)

    assert reply.status == 200
    assert reply.headers["idempotency-replayed"] == "true"
    assert [call.client_left for call in lane.requests] == [False]


async def test_the_keys_of_two_accounts_have_nothing_to_do_with_each_other(
    cache_fleet: Fleet, fleet_upstream: ScriptedUpstream
) -> None:
    once, lane, (here, there, *_) = Once(), fleet_upstream.lane("once-mine"), await cache_fleet.at_least(2)
    lane.numbered = True
    team_id = await make_team(here, "once", None)
    key = await make_key(here, "once", team_id, await make_member(here, team_id, "once", None), None)

    ours = await once.ask(here, "once-mine")
    theirs = await once.ask(there, "once-mine", key=key.secret, max_tokens=7)

    assert [ours.status, theirs.status, len(lane.requests)] == [200, 200, 2]
    assert "idempotency-replayed" not in theirs.headers


async def test_an_error_leaves_the_key_free(cache_fleet: Fleet, fleet_upstream: ScriptedUpstream) -> None:
    once, lane, (here, there, *_) = Once(), fleet_upstream.lane("once-failed"), await cache_fleet.at_least(2)
    lane.queue(failing(400))

    failed = await once.ask(here, "once-failed")
    again = await settled(once, there, "once-failed")

    assert [failed.status, again.status, len(lane.requests)] == [400, 200, 2]
    assert "idempotency-replayed" not in again.headers


async def settled(once: Once, gateway: Gateway, model: str, **more: Any) -> raw_http.RawReply:
    """What a client gets that asks again for as long as the key is in use."""
    replies: list[raw_http.RawReply] = []

    async def answered() -> bool:
        replies.append(await once.ask(gateway, model, **more))
        return replies[-1].status != 409

    await eventually(answered, within_s=10, what="an answer")
    return replies[-1]
