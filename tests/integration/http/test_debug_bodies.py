"""The switch for bodies, through the gateway as it is put together."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from bootstrap import Container
from bootstrap.settings import parse_settings
from tests.unit.telemetry.support import read_log

KEY = "mg_master-of-this-test"
SWITCH = "/admin/v1/debug/bodies"


class Gateway:
    def __init__(self) -> None:
        self.container = Container(settings=parse_settings({}, environ={}).settings, master_key=KEY)
        self.client: Any = self.container.app().test_client()

    async def __call__(self, method: str, path: str, body: object = None, key: str = KEY) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {key}"}
        sent = b"" if body is None else json.dumps(body).encode()
        answer = await self.client.open(path, method=method, headers=headers, data=sent)
        data = await answer.get_data()
        return answer.status_code, json.loads(data) if data else None

    async def chat(self, prompt: str, key: str = KEY) -> None:
        body = {"model": "echo", "messages": [{"role": "user", "content": prompt}]}
        assert (await self("POST", "/v1/chat/completions", body, key))[0] == 200

    async def stream(self, prompt: str, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        """As the server asks: what is sent is told to `send` as it comes."""
        body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": prompt}], "stream": True}).encode()
        events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        events.put_nowait({"type": "http.request", "body": body, "more_body": False})
        path = "/v1/chat/completions"
        headers = [(b"authorization", f"Bearer {KEY}".encode()), (b"content-length", b"%d" % len(body))]
        scope: Any = {
            "type": "http",
            "asgi": {},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
        }
        scope |= {"raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": headers}
        scope |= {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 1), "state": {}, "extensions": {}}
        receive: Any = events.get
        await self.container.app()(scope, receive, cast("Any", send))


async def test_switch_shows_when_it_ends() -> None:
    ask = Gateway()

    assert await ask("GET", SWITCH) == (200, {"until": None, "key_id": None})
    status, begun = await ask("POST", SWITCH, {"seconds": 900, "key_id": "k"})
    assert (status, begun["key_id"], await ask("GET", SWITCH)) == (200, "k", (200, begun))
    assert await ask("DELETE", SWITCH) == (204, None)
    assert (await ask("GET", SWITCH))[1]["until"] is None


@pytest.mark.parametrize("wish", [{"seconds": 901}, {"seconds": 0}, {}, {"seconds": 1, "key_id": "a b"}, {"s": 1}])
async def test_wish_that_is_none_is_refused(wish: dict[str, object]) -> None:
    ask = Gateway()

    status, answer = await ask("POST", SWITCH, wish)

    assert (status, answer["error"]["code"]) == (400, "invalid_request")
    assert ask.container.debug_bodies().current is None


async def test_bodies_of_the_named_key_alone_are_logged() -> None:
    ask = Gateway()
    _, made = await ask("POST", "/admin/v1/keys", {"name": "watched"})
    await ask("POST", SWITCH, {"seconds": 60, "key_id": made["id"]})

    with read_log("error") as log:
        await ask.chat("of the master key")
        await ask.chat("of the watched key", made["key"])

    (line,) = log.lines
    assert json.loads(line["request_body"])["messages"][0]["content"] == "of the watched key"
    assert "of the watched key" in line["response_body"]


async def test_bodies_of_an_answer_that_ends_after_the_switch_is_off_are_not_logged() -> None:
    ask = Gateway()
    await ask("POST", SWITCH, {"seconds": 60})
    said: list[dict[str, Any]] = []

    async def off_at_the_first(event: dict[str, Any]) -> None:
        if not said:
            assert await ask("DELETE", SWITCH) == (204, None)
        said.append(event)

    with read_log() as log:
        await ask.stream("a secret prompt", off_at_the_first)

    assert b"[DONE]" in b"".join(event.get("body", b"") for event in said)
    assert "a secret prompt" not in log.text


async def test_bodies_are_not_logged_by_default() -> None:
    ask = Gateway()

    with read_log("debug") as log:
        await ask.chat("a secret prompt")

    assert '"moongate.access"' in log.text
    assert "a secret prompt" not in log.text


async def test_refused_request_is_logged_with_the_code_that_its_client_was_told() -> None:
    ask = Gateway()

    with read_log() as log:
        await ask("POST", "/v1/chat/completions", {"model": "nobody", "messages": [{"role": "user", "content": "x"}]})
        await ask("GET", "/v1/models", key="wrong")

    told = [(line["status"], line.get("rule") or line["path"], line["error"]) for line in log.lines]
    assert told == [(404, "/v1/chat/completions", "model_not_found"), (401, "/v1/models", "invalid_api_key")]
