"""A closed-loop load generator: each connection sends a request, reads the whole reply, sends the next."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import cast

STREAM_END = b"\r\n0\r\n\r\n"
HEAD_END = b"\r\n\r\n"
EVENT = b"data: {"
PATIENCE_S = 20.0


class UnexpectedReply(Exception):
    """The target answered something that must not be counted."""


@dataclass(slots=True)
class Load:
    """What one run measured."""

    seconds: float = 0.0
    requests: int = 0
    events: int = 0
    latencies_s: list[float] = field(default_factory=list)
    reconnects: int = 0

    @property
    def requests_per_s(self) -> float:
        return self.requests / self.seconds

    @property
    def events_per_s(self) -> float:
        return self.events / self.seconds

    def quantile_s(self, share: float) -> float:
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def request_bytes(model: str, *, stream: bool, key: str, temperature: float = 0.7) -> bytes:
    """The request that is sent again and again. At temperature 0 a stored reply may answer it."""
    tail = ',"stream":true' if stream else ""
    body = (
        f'{{"model":"{model}","messages":[{{"role":"system","content":"You answer briefly."}},'
        f'{{"role":"user","content":"Name three rivers."}}],"temperature":{temperature},"max_tokens":64{tail}}}'
    ).encode()
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {key}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class LoadConnection(asyncio.Protocol):
    """One keep-alive connection. It reconnects when the server closes between two replies."""

    def __init__(self, run: "LoadRun") -> None:
        self._run = run
        self._reply = bytearray()
        self._length: int | None = None
        self._sent_s = 0.0
        self._waiting = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's transports are not its subclasses
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        if self._run.is_over():
            self._waiting = False
            self._transport.close()
            return
        self._reply.clear()
        self._length = None
        self._waiting = True
        self._sent_s = time.perf_counter()
        self._transport.write(self._run.request)

    def data_received(self, data: bytes) -> None:
        self._reply += data
        if self._length is None and not self._read_head():
            return
        if self._length == -1:
            if not self._reply.endswith(STREAM_END):
                return
        elif self._length is None or len(self._reply) < self._length:
            return
        self._complete()

    def _read_head(self) -> bool:
        """Find out how the reply ends: its whole length, or -1 for chunked."""
        end = self._reply.find(HEAD_END)
        if end < 0:
            return False
        head = bytes(self._reply[:end]).lower()
        if not head.startswith(b"http/1.1 200"):
            self._run.fail(UnexpectedReply(bytes(self._reply[:400]).decode("latin-1")))
            return False
        if self._run.wanted not in head:
            self._run.fail(UnexpectedReply(f"no {self._run.wanted!r} in {head!r}"))
            return False
        _, found, rest = head.partition(b"\r\ncontent-length:")
        self._length = end + len(HEAD_END) + int(rest.split(b"\r\n", 1)[0]) if found else -1
        return True

    def _complete(self) -> None:
        events = self._reply.count(EVENT) if self._length == -1 else 0
        self._run.count(time.perf_counter() - self._sent_s, events)
        assert self._transport is not None
        if b"connection: close" in self._reply[:600].lower():
            self._waiting = True
            self._reply.clear()
            self._transport.close()
            return
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if not self._waiting or self._run.is_over():
            self._run.closed()
        elif self._reply:
            self._run.fail(UnexpectedReply(f"the connection closed inside a reply: {exc}"))
        else:
            self._run.reconnect()


class LoadRun:
    """One measurement: so many connections, so many seconds. Every reply has `wanted` in its lower-case head."""

    def __init__(
        self,
        port: int,
        request: bytes,
        *,
        connections: int,
        seconds: float,
        events: int = 0,
        wanted: bytes = b"",
    ) -> None:
        self.request = request
        self.wanted = wanted
        self.load = Load()
        self._port = port
        self._connections = connections
        self._seconds = seconds
        self._events_wanted = events
        self._until_s = 0.0
        self._open = 0
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reconnecting: set[asyncio.Task[None]] = set()

    async def __call__(self) -> Load:
        began_s = time.perf_counter()
        self._until_s = began_s + self._seconds
        self._open = self._connections
        await asyncio.gather(*(self._connect() for _ in range(self._connections)))
        async with asyncio.timeout(self._seconds + PATIENCE_S):
            await self._done
        self.load.seconds = time.perf_counter() - began_s
        return self.load

    def is_over(self) -> bool:
        return time.perf_counter() >= self._until_s or self._done.done()

    def count(self, latency_s: float, events: int) -> None:
        if events < self._events_wanted:
            self.fail(UnexpectedReply(f"{events} events in a stream of {self._events_wanted}"))
        self.load.requests += 1
        self.load.events += events
        self.load.latencies_s.append(latency_s)

    def fail(self, error: Exception) -> None:
        if not self._done.done():
            self._done.set_exception(error)

    def closed(self) -> None:
        self._open -= 1
        if self._open == 0 and not self._done.done():
            self._done.set_result(None)

    def reconnect(self) -> None:
        self.load.reconnects += 1
        task = asyncio.get_running_loop().create_task(self._connect())
        self._reconnecting.add(task)
        task.add_done_callback(self._reconnecting.discard)

    async def _connect(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: LoadConnection(self), "127.0.0.1", self._port)
        except OSError as error:
            self.fail(error)
