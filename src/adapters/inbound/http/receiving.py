"""Reading a request's body within bounds, and getting rid of one that nobody will read."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hypercorn.typing import ASGIReceiveCallable, HTTPScope

from adapters.inbound.http.errors import BadFraming, BodyTooSlow, HeadersTooLarge, RequestTooLarge
from adapters.inbound.http.request_headers import RawHeaders, declared_length

HEADER_BYTES = 16 * 1024
_LINE_OVERHEAD_BYTES = 4


class ClientGone(Exception):
    """The connection closed before the request was complete: nobody is left to answer."""


class AnswerCut(Exception):
    """An answer that is under way can't go on, and can't say so: its connection is closed before its end."""


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How much body is taken, and how long it may take.

    Attributes:
        discard_factor, discard_s: A refused body is read and dropped up to that many times `max_body_bytes` and for
            that long, so that a client that is still sending comes to read the refusal instead of a reset.
        stalled_reader_s: A client that takes nothing of a stream for that long has left: its stream holds a slot of
            an instance and a connection to the provider.
    """

    max_body_bytes: int = 32 * 1024 * 1024
    body_timeout_s: float = 30.0
    discard_factor: int = 4
    discard_s: float = 10.0
    stalled_reader_s: float = 60.0


def refuse_bad_framing(headers: RawHeaders) -> None:
    """Raises BadFraming where the body's end could be read in two ways: the way of request smuggling."""
    if b"transfer-encoding" in headers and b"content-length" in headers:
        raise BadFraming("The request has both Content-Length and Transfer-Encoding: send one of them.")


def refuse_large_headers(scope: HTTPScope) -> None:
    """Raises HeadersTooLarge above 16 KiB: the server itself only refuses a larger block while it is incomplete."""
    size_bytes = len(scope["raw_path"]) + len(scope["query_string"])
    for name, value in scope["headers"]:
        size_bytes += len(name) + len(value) + _LINE_OVERHEAD_BYTES
    if size_bytes > HEADER_BYTES:
        raise HeadersTooLarge(f"Request line and headers are larger than {HEADER_BYTES} bytes: send less.")


async def read_body(receive: ASGIReceiveCallable, headers: RawHeaders, limits: BodyLimits) -> bytes:
    """The whole body. Raises as `read_into`."""
    parts: list[bytes] = []

    async def keep(part: bytes) -> None:
        parts.append(part)

    await read_into(keep, receive, headers, limits)
    return b"".join(parts)


async def read_into(
    take: Callable[[bytes], Awaitable[None]], receive: ASGIReceiveCallable, headers: RawHeaders, limits: BodyLimits
) -> None:
    """Hands the body on piece by piece.

    Raises:
        RequestTooLarge: It is larger than the limit, by declaration or in fact.
        BodyTooSlow: It took longer than the limit.
        ClientGone: The client left.
    """
    length = declared_length(headers)
    if length is not None and length > limits.max_body_bytes:
        raise _too_large(limits)
    received_bytes = 0
    try:
        async with asyncio.timeout(limits.body_timeout_s):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise ClientGone
                part = message["body"]
                received_bytes += len(part)
                if received_bytes > limits.max_body_bytes:
                    raise _too_large(limits)
                await take(part)
                if not message["more_body"]:
                    return
    except TimeoutError as error:
        raise BodyTooSlow(f"The body did not arrive within {limits.body_timeout_s:g} s.") from error


class Discard:
    """Takes in what is left of a body and drops it, in a task of its own, until the connection ends.

    It never stops receiving by itself: the server's queue to the application is bounded, and where nobody empties it
    the server waits for ever to put the end of the connection into it.
    """

    def __init__(self, receive: ASGIReceiveCallable, limits: BodyLimits) -> None:
        self._receive = receive
        self._limits = limits
        self._enough = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    async def until_enough(self) -> None:
        """Returns when the body has ended, or has used up the bounds on discarding it."""
        try:
            async with asyncio.timeout(self._limits.discard_s):
                await self._enough.wait()
        except TimeoutError:
            return

    def stop(self) -> None:
        """Ends the task."""
        self._task.cancel()

    async def _run(self) -> None:
        left_bytes = self._limits.max_body_bytes * self._limits.discard_factor
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                self._enough.set()
                return
            left_bytes -= len(message["body"])
            if left_bytes < 0 or not message["more_body"]:
                self._enough.set()


def _too_large(limits: BodyLimits) -> RequestTooLarge:
    return RequestTooLarge(f"The body is larger than {limits.max_body_bytes} bytes: send less.")
