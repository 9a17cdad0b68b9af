"""HTTP by hand, for what a well-behaved client would never send or never show."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class RawReply:
    """A reply as it came. `complete`: its framing says that nothing is missing."""

    status: int
    headers: dict[str, str]
    body: bytes
    complete: bool

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    def events(self) -> list[str]:
        """The data of every server-sent event, in order."""
        lines = self.body.decode().splitlines()
        return [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]


def post(path: str, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """A POST with its length and a JSON content type."""
    lines = {"host": "gateway", "content-type": "application/json", "content-length": str(len(body))} | dict(
        headers or {}
    )
    return f"POST {path} HTTP/1.1\r\n".encode() + _header_lines(lines) + b"\r\n" + body


def get(path: str, headers: Mapping[str, str] | None = None) -> bytes:
    """A GET."""
    return f"GET {path} HTTP/1.1\r\n".encode() + _header_lines({"host": "gateway"} | dict(headers or {})) + b"\r\n"


def chat(model: str, *, stream: bool = False, **more: object) -> bytes:
    """A small chat request's body."""
    document = {"model": model, "messages": [{"role": "user", "content": "hello"}], **more}
    if stream:
        document["stream"] = True
    return json.dumps(document).encode()


def _header_lines(headers: Mapping[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("latin-1")


class RawConnection:
    """One connection, byte by byte. `async with` closes it."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 24)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.reset()
        await asyncio.sleep(0)

    def reset(self) -> None:
        """Close at once, whatever is under way."""
        self._writer.transport.abort()

    async def send(self, data: bytes) -> None:
        """Write all of it. A peer that has closed already is no error: its reply tells why."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except ConnectionError:
            return

    async def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers of the next reply."""
        block = await self._reader.readuntil(b"\r\n\r\n")
        first, *lines = block.decode("latin-1").rstrip("\r\n").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return int(first.split(" ")[1]), {name.lower(): value.strip() for name, _, value in pairs}

    async def some(self) -> bytes:
        """Whatever arrives next of a body; empty at its end."""
        return await self._reader.read(65536)

    async def reply(self) -> RawReply:
        """The next reply, whole, or as much of it as came."""
        status, headers = await self.head()
        if "content-length" in headers:
            wanted = int(headers["content-length"])
            body = await self._at_most(wanted)
            return RawReply(status, headers, body, complete=len(body) == wanted)
        if headers.get("transfer-encoding") == "chunked":
            return RawReply(status, headers, *await self._chunked())
        return RawReply(status, headers, await self._reader.read(), complete=True)

    async def _at_most(self, wanted: int) -> bytes:
        try:
            return await self._reader.readexactly(wanted)
        except asyncio.IncompleteReadError as cut:
            return cut.partial
        except ConnectionError:
            return b""

    async def _chunked(self) -> tuple[bytes, bool]:
        body = bytearray()
        try:
            while size := int(await self._reader.readuntil(b"\r\n"), 16):
                body += await self._reader.readexactly(size)
                await self._reader.readexactly(2)
            await self._reader.readexactly(2)
        except (asyncio.IncompleteReadError, ConnectionError) as cut:
            if isinstance(cut, asyncio.IncompleteReadError):
                body += cut.partial
            return bytes(body), False
        return bytes(body), True


async def exchange(port: int, request: bytes, *, within_s: float = 15) -> RawReply:
    """One request on a connection of its own."""
    async with asyncio.timeout(within_s), RawConnection(port) as connection:
        await connection.send(request)
        return await connection.reply()
