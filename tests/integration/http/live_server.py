"""The application on a real Hypercorn on a loopback port, and a client that speaks bytes."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from hypercorn.asyncio import serve

from adapters.inbound.http.app import GatewayApp
from adapters.inbound.http.drain import shutdown_trigger
from adapters.inbound.http.server_config import hypercorn_config
from adapters.outbound.system.clock import SystemClock
from application.draining import Draining

PATIENCE_S = 5.0


async def eventually(holds: Callable[[], bool]) -> None:
    """Returns when `holds` does; what it asks about tells nobody when it changes."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - tasks and counters have no event to wait for
            await asyncio.sleep(0)


@dataclass
class LiveServer:
    port: int
    stop: asyncio.Event
    done: asyncio.Task[None]
    draining: Draining = field(default_factory=Draining)

    async def connect(self) -> "RawConnection":
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        return RawConnection(reader, writer)


@dataclass
class RawConnection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def until(self, mark: bytes) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readuntil(mark)

    async def exactly(self, count: int) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.readexactly(count)

    async def rest(self) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.read()

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            return


@asynccontextmanager
async def live_server(app: GatewayApp, graceful_timeout_s: float = 3.0) -> AsyncIterator[LiveServer]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    port = listening.getsockname()[1]
    config = hypercorn_config("127.0.0.1", port, graceful_timeout_s, SystemClock())
    config.bind = [f"fd://{listening.detach()}"]
    stop, draining = asyncio.Event(), Draining()
    trigger = shutdown_trigger(stop.wait, draining, app.front_door.in_flight, graceful_timeout_s)
    done = asyncio.create_task(serve(app, config, shutdown_trigger=trigger))
    try:
        yield LiveServer(port, stop, done, draining)
    finally:
        stop.set()
        async with asyncio.timeout(graceful_timeout_s + PATIENCE_S):
            await done


@asynccontextmanager
async def raw_connection(app: GatewayApp) -> AsyncIterator[RawConnection]:
    async with live_server(app) as server:
        connection = await server.connect()
        try:
            yield connection
        finally:
            await connection.close()


def http_request(target: str, body: bytes = b"", *headers: str, method: str = "POST") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: gateway", "Authorization: Bearer master-secret", *headers]
    if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def code_of(answer: bytes) -> str:
    code = json.loads(answer.split(b"\r\n\r\n", 1)[1])["error"]["code"]
    assert isinstance(code, str)
    return code


async def one_answer(connection: RawConnection) -> bytes:
    head = await connection.until(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return head + await connection.exactly(int(length.split(b":")[1]))
