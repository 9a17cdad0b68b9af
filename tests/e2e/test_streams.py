"""Streams that fail, hang, come in crumbs or lose their reader."""

import json
from collections.abc import AsyncIterator
from itertools import chain

import openai
import pytest
import pytest_asyncio
from openai import AsyncOpenAI

from tests.e2e import raw_http
from tests.e2e.behaviour import AFTER_HEAD, BEFORE_HEAD, Behaviour, Ending, ending, failing
from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway
from tests.e2e.openai_wire import whole_text
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

EARLY = {
    "refused": failing(503),
    "reset-before-head": ending(Ending.RST, BEFORE_HEAD),
    "closed-before-head": ending(Ending.FIN, BEFORE_HEAD),
    "reset-after-head": ending(Ending.RST, AFTER_HEAD),
    "closed-after-head": ending(Ending.FIN, AFTER_HEAD),
    "error-first": ending(Ending.ERROR_EVENT, AFTER_HEAD),
    "closed-after-role": ending(Ending.FIN, 0),
    "reset-after-role": ending(Ending.RST, 0),
    "error-after-role": ending(Ending.ERROR_EVENT, 0),
    "hangs-before-head": ending(Ending.HANG, BEFORE_HEAD),
    "hangs-after-head": ending(Ending.HANG, AFTER_HEAD),
    "hangs-after-role": ending(Ending.HANG, 0),
}
LATE = {
    "cut": ending(Ending.FIN, 2),
    "reset": ending(Ending.RST, 2),
    "error": ending(Ending.ERROR_EVENT, 2),
    "unfinished": ending(Ending.SILENT_END, 2),
    "cut-unframed": Behaviour(ends=Ending.FIN, after=2, until_close=True),
    "stalls": ending(Ending.HANG, 2),
}
FINE = {
    "crumbs": Behaviour(byte_by_byte=True),
    "crumbs-of-a-tool-call": Behaviour(byte_by_byte=True, tool_call=("f", '{"a":1}')),
    "megabyte": Behaviour(pad_bytes=1_000_000, chunks=3),
    "drips": Behaviour(chunk_delay_s=0.05),
    "unframed": Behaviour(until_close=True),
    "no-role": Behaviour(role_first=False),
    "no-usage": Behaviour(usage=False),
}
ENDLESS = Behaviour(chunks=2000, chunk_delay_s=0.02)
ROUTER = {"first_byte_timeout": "500ms", "idle_timeout": "500ms", "circuit_breaker": {"consecutive_failures": 50}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    models = [instance("endless", upstream.base_url), instance("silent", upstream.base_url)]
    for name, behaviour in chain(EARLY.items(), LATE.items()):
        upstream.lane(f"{name}-bad").default = behaviour
        models.append(instance(name, upstream.base_url, f"{name}-bad", priority=100, timeout="600ms"))
        models.append(instance(name, upstream.base_url, f"{name}-good", priority=50))
    for name, behaviour in FINE.items():
        upstream.lane(name).default = behaviour
        models.append(instance(name, upstream.base_url))
    upstream.lane("endless").default = ENDLESS
    upstream.lane("silent").default = ending(Ending.HANG, BEFORE_HEAD)
    async with running_gateway(configuration(models, router=ROUTER), tmp_path_factory.mktemp("streams")) as running:
        yield running


def content_of(events: list[str]) -> str:
    """The assistant's text in these events."""
    choices = [choice for event in events if event != "[DONE]" for choice in json.loads(event).get("choices", [])]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


@pytest.mark.parametrize("name", EARLY)
async def test_stream_that_fails_before_content_fails_over_invisibly(
    gateway: Gateway, upstream: ScriptedUpstream, name: str
) -> None:
    reply = await gateway.chat(name, stream=True)

    assert reply.status == 200
    assert reply.complete
    assert content_of(reply.events()) == whole_text(f"{name}-good", Behaviour())
    assert reply.events()[-1] == "[DONE]"
    assert b"-bad" not in reply.body
    assert b'"error"' not in reply.body
    assert reply.headers["x-moongate-instance"] == f"{name}-good"
    assert reply.headers["x-moongate-attempts"] == "2"
    assert len({request.headers["x-request-id"] for request in upstream.lane(f"{name}-bad").requests}) == 1


@pytest.mark.parametrize("name", LATE)
async def test_stream_that_fails_after_content_ends_with_one_error_event(
    gateway: Gateway, upstream: ScriptedUpstream, name: str
) -> None:
    reply = await gateway.chat(name, stream=True)

    events = reply.events()
    assert reply.status == 200
    assert reply.complete
    assert content_of(events) == f"{name}-bad-0 {name}-bad-1 "
    assert [index for index, event in enumerate(events) if "error" in json.loads(event)] == [len(events) - 1]
    assert json.loads(events[-1])["error"]["message"]
    assert "[DONE]" not in events
    assert not upstream.lane(f"{name}-good").requests  # nobody starts the text again


async def test_stream_that_breaks_raises_in_the_official_client(client: AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(
        model="error", messages=[{"role": "user", "content": "x"}], stream=True
    )

    received = ""

    async def read() -> None:
        nonlocal received
        async for chunk in stream:
            received += chunk.choices[0].delta.content or ""

    with pytest.raises(openai.APIError):
        await read()
    assert received == "error-bad-0 error-bad-1 "


@pytest.mark.parametrize("name", FINE)
async def test_stream_arrives_whole_however_it_is_cut_on_the_wire(gateway: Gateway, name: str) -> None:
    reply = await gateway.chat(name, stream=True)

    assert reply.complete
    assert reply.events()[-1] == "[DONE]"
    if FINE[name].tool_call is None:
        assert content_of(reply.events()) == whole_text(name, FINE[name])
    else:
        assert b'"finish_reason":"tool_calls"' in reply.body


async def test_stream_is_passed_on_while_it_comes(gateway: Gateway, upstream: ScriptedUpstream) -> None:
    async with raw_http.RawConnection(gateway.port) as connection:
        await connection.send(gateway.post("/v1/chat/completions", raw_http.chat("drips", stream=True)))
        await connection.head()
        seen = await connection.some()
        while b"drips-0" not in seen:
            seen += await connection.some()

        assert upstream.lane("drips").requests[-1].ended_s is None
        assert b"drips-3" not in seen


@pytest.mark.parametrize("name", ["endless", "silent"])
async def test_client_that_leaves_closes_the_upstream_within_a_second(
    gateway: Gateway, upstream: ScriptedUpstream, name: str
) -> None:
    lane = upstream.lane(name)
    async with raw_http.RawConnection(gateway.port) as connection:
        await connection.send(gateway.post("/v1/chat/completions", raw_http.chat(name, stream=True)))
        if name == "endless":
            await connection.head()
            await connection.some()
        await eventually(lambda: lane.requests, within_s=2, what="the upstream is asked")

    await eventually(lambda: lane.requests[-1].client_left, within_s=1, what="the upstream call is closed")
