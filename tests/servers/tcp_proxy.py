"""A loopback TCP proxy that can be slow, silent, rude or wrong."""

import asyncio
import contextlib
import socket
import ssl
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

_CHUNK_BYTES = 65_536
_LINGER_ZERO = struct.pack("ii", 1, 0)


@dataclass
class TcpProxy:
    """Carries bytes to `target`, a port or a Unix socket, and back.

    What it is told holds for connections that are open, too.

    Attributes:
        delay_s: How late replies come; later ones do not wait for earlier ones.
        swallows: Takes everything and answers nothing, without closing anything (a blackhole).
        instead: Answers these bytes to whatever comes, and asks nobody.
        tls: What it shows to clients; to the target it speaks plainly.
        chunk_bytes: How much it carries at once, to cut messages where nobody expects it.
        requests: Chunks that clients sent; a small pipeline is one.
    """

    target: int | Path
    tls: ssl.SSLContext | None = None
    delay_s: float = 0.0
    swallows: bool = False
    instead: bytes | None = None
    chunk_bytes: int = _CHUNK_BYTES
    requests: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()
        self.reset()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def listen(self) -> None:
        """Accepts connections, always on the same port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Refuses new connections; those that are open live on."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await asyncio.sleep(0)

    def reset(self) -> None:
        """Ends every connection with an RST."""
        for writer in tuple(self._open):
            found: socket.socket = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
            writer.transport.abort()

    def cut(self) -> None:
        """Ends every connection in order, in the middle of whatever was said."""
        for writer in tuple(self._open):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._open.add(writer)
        try:
            there, back = await self._connect()
        except OSError:
            writer.transport.abort()
            self._open.discard(writer)
            return
        self._open.add(back)
        try:
            await asyncio.gather(self._carry_up(reader, writer, back), self._carry_down(there, writer))
        except OSError:
            pass
        finally:
            for side in (writer, back):
                self._open.discard(side)
                side.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.target, Path):
            return await asyncio.open_unix_connection(self.target)
        return await asyncio.open_connection("127.0.0.1", self.target)

    async def _carry_up(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(self.chunk_bytes):
            self.requests += 1
            if self.swallows:
                continue
            if self.instead is not None:
                writer.write(self.instead)
                continue
            back.write(data)
            await back.drain()
        raise ConnectionResetError

    async def _carry_down(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        deliverer = asyncio.ensure_future(self._deliver(late, writer))
        try:
            while data := await there.read(self.chunk_bytes):
                late.put_nowait((loop.time() + self.delay_s, data))
        finally:
            deliverer.cancel()
        raise ConnectionResetError

    async def _deliver(self, late: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due_s, data = await late.get()
            if due_s > loop.time():
                await asyncio.sleep(due_s - loop.time())
            if not self.swallows and not writer.is_closing():
                writer.write(data)
