"""The scripted upstream itself: what no provider would understand is refused and kept; bytes come one by one."""

import asyncio

import httpx
import pytest

from tests.wires.openai import KEY, OpenAIWire
from tests.wires.server import NOT_UNDERSTOOD, WireServer
from tests.wires.wire import Said

MODEL = "a-model"
ASKED = {"model": MODEL, "messages": [{"role": "user", "content": "hello"}]}


async def ask(server: WireServer, **more: object) -> httpx.Response:
    async with httpx.AsyncClient(base_url=server.base_url, headers={"authorization": f"Bearer {KEY}"}) as client:
        return await client.post("/v1/chat/completions", json=ASKED | more)


async def test_request_is_heard_and_answered_by_its_models_lane() -> None:
    async with WireServer(OpenAIWire()) as server:
        server.lane(MODEL).scene = Said(text="hi")
        reply = await ask(server)

    assert reply.json()["choices"][0]["message"]["content"] == "hi"
    assert server.lane(MODEL).last.turns == (("user", "hello"),)


async def test_request_that_the_provider_would_not_understand_is_refused_and_fails_the_test() -> None:
    async with WireServer(OpenAIWire()) as server:
        server.lane(MODEL).scene = Said(text="hi")
        reply = await ask(server, made_up=True)

    assert reply.status_code == NOT_UNDERSTOOD
    assert "made_up" in reply.text
    with pytest.raises(AssertionError, match="made_up"):
        _ = server.lane(MODEL).last


async def test_request_for_a_model_without_a_lane_is_kept_as_astray() -> None:
    async with WireServer(OpenAIWire()) as server:
        reply = await ask(server)

    assert reply.status_code == NOT_UNDERSTOOD
    assert [request.path for request in server.astray] == ["/v1/chat/completions"]


async def test_bytes_are_written_one_by_one() -> None:
    async with WireServer(OpenAIWire()) as server:
        lane = server.lane(MODEL)
        lane.scene, lane.bytewise = Said(text="hi"), True
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        body = b'{"model":"a-model","messages":[{"role":"user","content":"hello"}]}'
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n"
        more = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        writer.write(head.encode() + more.encode() + body)
        _, _, chunks = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    assert chunks.startswith(b"1\r\n{\r\n1\r\n")
    assert chunks.endswith(b"1\r\n}\r\n0\r\n\r\n")
