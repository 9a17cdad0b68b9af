"""One connection of the scripted upstream: reads requests, plays reply plans."""

import asyncio
import contextlib
import json
import socket
import struct
import time
from typing import TYPE_CHECKING, cast

from tests.e2e.behaviour import Behaviour, Ending
from tests.e2e.openai_wire import Ask, models_body
from tests.e2e.reply_plan import Pause, Step, plan

if TYPE_CHECKING:
    from tests.e2e.scripted_upstream import Recorded, ScriptedUpstream

HEAD_END = b"\r\n\r\n"
_ENDPOINTS = {
    "/chat/completions": "chat",
    "/completions": "completions",
    "/embeddings": "embeddings",
    "/responses": "responses",
}
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def ask_of(path: str, body: dict[str, object]) -> Ask | None:
    """What is asked for; None where no endpoint has that path."""
    endpoint = next((kind for end, kind in _ENDPOINTS.items() if path.endswith(end)), None)
    if endpoint is None:
        return None
    options, inputs = body.get("stream_options"), body.get("input")
    return Ask(
        endpoint,
        str(body.get("model", "")),
        stream=body.get("stream") is True,
        stream_usage=isinstance(options, dict) and options.get("include_usage") is True,
        vectors_base64=body.get("encoding_format") == "base64",
        inputs=len(inputs) if isinstance(inputs, list) else 1,
    )


def parse_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    """Method, path without its query, and the headers by lower-case name."""
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    return method, target.partition("?")[0], {name.lower(): value.strip() for name, _, value in pairs}


class UpstreamConnection(asyncio.Protocol):
    """Reads one request after another and answers each by its lane's script."""

    def __init__(self, upstream: "ScriptedUpstream") -> None:
        self._upstream = upstream
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._current: Recorded | None = None
        self._playing: asyncio.Task[None] | None = None
        self._room = asyncio.Event()
        self._room.set()

    @property
    def busy(self) -> bool:
        """A reply is under way."""
        return self._current is not None

    def drop(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's transports are not its subclasses
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._upstream.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._upstream.connections.discard(self)
        if self._playing is not None:
            self._playing.cancel()
        self._finish(client_left=True)
        self._transport = None
        self._room.set()

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._read_requests()

    def _read_requests(self) -> None:
        while self._current is None and (end := self._buffer.find(HEAD_END)) >= 0:
            method, path, headers = parse_head(bytes(self._buffer[:end]))
            begins = end + len(HEAD_END)
            ends = begins + int(headers.get("content-length", "0"))
            if "transfer-encoding" in headers:
                self.drop()  # the gateway knows its bodies' lengths; a chunked one is a defect to notice
                return
            if len(self._buffer) < ends:
                return
            raw_body = bytes(self._buffer[begins:ends])
            del self._buffer[:ends]
            self._answer(method, path, headers, raw_body)

    def _answer(self, method: str, path: str, headers: dict[str, str], raw_body: bytes) -> None:
        body = json.loads(raw_body) if raw_body else {}
        self._current = self._upstream.record(method, path, headers, raw_body, body)
        self._play(self._plan_for(method, path, body))

    def _plan_for(self, method: str, path: str, body: dict[str, object]) -> tuple[Step, ...]:
        if method == "GET" and path.endswith("/models"):
            return plan(Behaviour(body=models_body(sorted(filter(None, self._upstream.lanes)))), Ask("models", ""))
        ask = ask_of(path, body)
        if ask is None:
            return plan(Behaviour(status=404, body=b'{"error":{"message":"no such path"}}'), Ask("none", ""))
        return plan(self._upstream.lane(ask.model).next(), ask)

    def _play(self, steps: tuple[Step, ...]) -> None:
        if any(isinstance(step, Pause) for step in steps):
            self._playing = asyncio.get_running_loop().create_task(self._play_slowly(steps))
            return
        for step in steps:
            self._take(step)

    async def _play_slowly(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                await self._room.wait()
            else:
                self._take(step)
        self._playing = None
        self._read_requests()

    def _take(self, step: Step) -> None:
        transport = self._transport
        if transport is None:
            return
        match step:
            case bytes():
                transport.write(step)
            case Ending.COMPLETE:
                self._finish(client_left=False)
            case Ending.FIN:
                self._finish(client_left=False)
                transport.close()
            case Ending.RST:
                self._finish(client_left=False)
                self._reset(transport)
            case _:  # HANG: the connection stays until the client has enough
                pass

    def _finish(self, *, client_left: bool) -> None:
        if self._current is not None:
            self._current.ended_s = time.monotonic()
            self._current.client_left = client_left
            self._current = None

    @staticmethod
    def _reset(transport: asyncio.Transport) -> None:
        with contextlib.suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()
