"""Clients whose requests a stored reply may answer, and who watch streams as they come."""

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from tests.e2e import raw_http
from tests.e2e.gateway_process import Gateway
from tests.e2e.support import eventually
from tests.integration.telemetry.metrics_world import samples_of, total

CHAT = "/v1/chat/completions"
PATIENCE_S = 30.0


def question(
    gateway: Gateway,
    model: str,
    *,
    stream: bool = False,
    key: str | None = None,
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> bytes:
    """A chat request at temperature 0. `key`: instead of the master key."""
    own = {} if key is None else {"authorization": f"Bearer {key}"}
    return gateway.post(
        CHAT, raw_http.chat(model, stream=stream, **{"temperature": 0, **more}), own | dict(headers or {})
    )


async def ask(gateway: Gateway, model: str, **more: Any) -> raw_http.RawReply:
    """Asks it once, on a connection of its own."""
    return await raw_http.exchange(gateway.port, question(gateway, model, **more), within_s=PATIENCE_S)


def text_of(reply: raw_http.RawReply) -> str:
    """What a whole chat reply says."""
    return str(reply.json()["choices"][0]["message"]["content"])


async def until_asked(gateway: Gateway, count: int) -> None:
    """Returns when the gateway works on that many chat requests."""

    async def there() -> bool:
        scraped = await raw_http.exchange(gateway.port, raw_http.get("/metrics"))
        return total(samples_of(scraped.body.decode()), "moongate_requests_in_flight", endpoint="chat") == count

    await eventually(there, within_s=10, what=f"{count} requests under way")


@dataclass(slots=True)
class Seen:
    """What has come of a stream so far.

    Attributes:
        first_s: When its first content came.
        whole: `[DONE]` was its last event, and the framing ended.
    """

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""
    first_s: float | None = None
    errors: list[Mapping[str, Any]] = field(default_factory=list)
    is_done: bool = False
    is_framed: bool = False

    @property
    def whole(self) -> bool:
        """Nothing is missing."""
        return self.is_done and self.is_framed and not self.errors

    def take(self, line: bytes) -> None:
        """One more line of the body, event or framing."""
        self.is_framed = line == b"0"
        if not line.startswith(b"data: "):
            return
        assert not self.is_done, line
        assert not self.errors, line
        if line == b"data: [DONE]":
            self.is_done = True
            return
        event = json.loads(line.removeprefix(b"data: "))
        if "error" in event:
            self.errors.append(event["error"])
        for choice in event.get("choices", ()):
            self.text += choice["delta"].get("content") or ""
        if self.text and self.first_s is None:
            self.first_s = time.monotonic()


class Watching:
    """A client of a stream. `async with` ends it; it may leave before."""

    def __init__(self, gateway: Gateway, model: str, **more: Any) -> None:
        self.seen = Seen()
        self._port = gateway.port
        self._request = question(gateway, model, stream=True, **more)
        self._task = asyncio.create_task(self._watch())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.leave()

    async def leave(self) -> None:
        """Closes the connection, whatever is under way."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def ended(self) -> Seen:
        """Everything that came, when nothing more does."""
        await self._task
        return self.seen

    async def has_content(self) -> None:
        """Returns with the first content."""
        await eventually(lambda: self.seen.text, within_s=PATIENCE_S, what="content")

    async def _watch(self) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            async with asyncio.timeout(PATIENCE_S), raw_http.RawConnection(self._port) as connection:
                await connection.send(self._request)
                self.seen.status, self.seen.headers = await connection.head()
                left = b""
                while not self.seen.is_framed and (some := await connection.some()):
                    *lines, left = (left + some).split(b"\n")
                    for line in lines:
                        if stripped := line.strip():
                            self.seen.take(stripped)
