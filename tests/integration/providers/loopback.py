"""A scripted server on the loopback interface: what a provider does on the wire, byte by byte."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLContext

Script = Callable[["Connection"], Awaitable[None]]


@dataclass
class Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: bytes = b""
    body: bytes = b""

    async def read_request(self) -> bytes:
        """One request; its body alone is returned."""
        self.head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2])
            for line in self.head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        )
        self.body = await self.reader.readexactly(length)
        return self.body

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def send_chunk(self, data: bytes) -> None:
        await self.send(b"%x\r\n%b\r\n" % (len(data), data))

    def reset(self) -> None:
        self.writer.transport.abort()


@dataclass
class Loopback:
    port: int = 0
    connections: list[Connection] = field(default_factory=list)
    open: int = 0
    quiet: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


def reply(body: bytes, *, status: str = "200 OK", content_type: str = "application/json") -> bytes:
    return b"HTTP/1.1 %b\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n%b" % (
        status.encode(),
        content_type.encode(),
        len(body),
        body,
    )


STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


@asynccontextmanager
async def loopback(script: Script, ssl: SSLContext | None = None) -> AsyncIterator[Loopback]:
    """Runs `script` for each connection; `quiet` is set whenever the last connection is gone."""
    state = Loopback()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        state.connections.append(connection)
        state.open += 1
        state.quiet.clear()
        try:
            await script(connection)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the gateway hung up, which is what most scripts wait for
        finally:
            writer.transport.abort()
            state.open -= 1
            if state.open == 0:
                state.quiet.set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=ssl, limit=1 << 24)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
