"""The way out: one aiohttp session behind httpx's transport interface, called directly with `httpx.Request`.

`httpx-aiohttp`'s transport is not used: it reports a lost connection, a refused one and a reset alike as a connect
timeout (its table knows only the common base class), and what may be tried again without paying twice hangs on that
difference. It also hands a stream on in pieces of at most 16 KiB through two generators.
"""

import asyncio
from collections.abc import AsyncIterator
from contextvars import ContextVar
from functools import lru_cache, partial
from io import BytesIO
from ssl import SSLContext
from typing import Any, Final, Self

import aiohttp
import httpx
from aiohttp.client_exceptions import ConnectionTimeoutError, InvalidURL, NonHttpUrlClientError
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from yarl import URL

from application.ports.provider import Departure

_KEEPALIVE_S: Final = 30.0
_LINGER_S: Final = 1.0
_COPY_FREE_BYTES: Final = 1 << 20
# A connection that had died finds out within a round trip; a server that dies over a request takes longer.
_STALE_WITHIN_S: Final = 1.0
_connected: ContextVar[bool] = ContextVar("connected")
_departure: ContextVar[Departure] = ContextVar("departure")


class HostNotFound(httpx.ConnectError):
    """The provider's host name does not resolve."""


class TlsRefused(httpx.ConnectError):
    """The provider's certificate or its TLS was not accepted."""


class NoAnswer(httpx.RemoteProtocolError):
    """The connection was lost before one byte of the answer: a kept connection grown stale, or a dying server."""


class ReplyBody(httpx.AsyncByteStream):
    """The bytes of a reply, in pieces as they arrived: everything that waits comes in one piece."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            piece = await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise _as_httpx(error, httpx.ReadError) from error
        if not piece:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Closes the connection at once, unless the reply had ended: then it is back in the pool already."""
        self._response.close()

    def finish(self) -> None:
        """Nothing more is wanted, and little more is expected: the end may take a moment to arrive.

        A stream's last event stands before the last bytes of its framing; closing in between would cost a TLS
        handshake per stream. The connection is kept when the end arrives in time, else closed.
        """
        timer = asyncio.get_running_loop().call_later(_LINGER_S, self._response.close)
        self._response.content.on_eof(timer.cancel)


def body_of(response: httpx.Response) -> httpx.AsyncByteStream:
    """The reply's bytes, raw: an async transport's reply always has them as an async stream."""
    if not isinstance(response.stream, httpx.AsyncByteStream):
        raise TypeError("expected the reply of an async transport")
    return response.stream


async def let_go(body: httpx.AsyncByteStream) -> None:
    """Ends the use of a body whose content is complete."""
    if isinstance(body, ReplyBody):
        body.finish()
    else:
        await body.aclose()


class _Connection(ResponseHandler):
    """Does nothing where nothing was paused: a stream's reader asks to resume after each piece of it."""

    def resume_reading(self, resume_parser: bool = True) -> None:
        if self._reading_paused:
            super().resume_reading(resume_parser)


class _Connector(aiohttp.TCPConnector):
    """Notes for the running task that it got a new connection, not a kept one."""

    def __init__(self, ssl: SSLContext | bool) -> None:
        super().__init__(ssl=ssl, limit=0, keepalive_timeout=_KEEPALIVE_S)
        connection: type[ResponseHandler] = _Connection
        self._factory = partial(connection, loop=self._loop)

    async def _create_connection(self, *arguments: Any) -> Any:
        _connected.set(True)
        return await super()._create_connection(*arguments)


class _Request(aiohttp.ClientRequest):
    """Notes that it leaves, once there is a connection for it."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        _departure.get().has_left = True
        return await super().send(conn)


class AiohttpUpstream(httpx.AsyncBaseTransport):
    """One session for all providers: TLS verified, no redirects, no cookies, no proxy from the environment.

    The number of connections is unlimited: what limits load are the instances' own limits. Only connecting is timed
    here (`connect` of the request's `timeout` extension, in seconds, DNS and TLS included). The extension `departure`
    is told when the request leaves. Raises httpx's errors.

    A kept connection may have died unnoticed (a balancer or a NAT forgot it, the server closed it just now), often
    with all its sisters. A request that is lost on one, at once and without one byte of answer, goes out a second
    time, on a new connection: it says nothing about the provider, and must cost neither an attempt nor a circuit.
    """

    def __init__(self, session: aiohttp.ClientSession, unpooled: aiohttp.ClientSession) -> None:
        self._session = session
        self._unpooled = unpooled

    @classmethod
    async def open(cls, ssl: SSLContext | bool = True) -> Self:
        """A transport of the running event loop. `ssl`: another trust store than the system's; True for that one."""
        if ssl is False:
            raise ValueError("certificates are always verified: give an SSLContext that trusts the provider's")
        pooled = _Connector(ssl)
        return cls(_session(pooled), _session(aiohttp.TCPConnector(ssl=ssl, limit=0, force_close=True)))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The reply as soon as its head is there; its body must be read to the end or closed."""
        _connected.set(False)
        departure: Departure = request.extensions.get("departure") or Departure()
        departure.has_left = False
        _departure.set(departure)
        loop = asyncio.get_running_loop()
        stale_until_s = loop.time() + _STALE_WITHIN_S
        try:
            return await self._exchange(self._session, request)
        except NoAnswer:
            if _connected.get() or loop.time() > stale_until_s:
                raise
        return await self._exchange(self._unpooled, request)

    async def _exchange(self, session: aiohttp.ClientSession, request: httpx.Request) -> httpx.Response:
        try:
            response = await session.request(
                request.method,
                _url(str(request.url)),
                headers=[(name.decode("ascii"), value.decode("latin-1")) for name, value in request.headers.raw],
                data=_data(request),
                allow_redirects=False,
                timeout=_timeout(request.extensions.get("timeout", {}).get("connect")),
            )
        except (aiohttp.ClientError, OSError) as error:
            raise _as_httpx(error, NoAnswer) from error
        # aiohttp has taken off the compression; nobody may try again.
        headers = [pair for pair in response.raw_headers if pair[0].lower() != b"content-encoding"]
        return httpx.Response(response.status, headers=headers, stream=ReplyBody(response), request=request)

    async def aclose(self) -> None:
        """Closes every connection, in use or not."""
        await self._session.close()
        await self._unpooled.close()


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        request_class=_Request,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        trust_env=False,
    )


def _data(request: httpx.Request) -> bytes | BytesIO | httpx.AsyncByteStream | None:
    if not isinstance(request.stream, httpx.ByteStream) and isinstance(request.stream, httpx.AsyncByteStream):
        return request.stream
    body = request.content
    # A larger body in one piece would hold up the loop; a file-like one is written in parts.
    return (BytesIO(body) if len(body) > _COPY_FREE_BYTES else body) or None


@lru_cache(maxsize=1024)
def _url(text: str) -> URL:
    return URL(text, encoded=True)


@lru_cache(maxsize=256)
def _timeout(connect_s: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, connect=connect_s)


def _as_httpx(error: Exception, lost: type[httpx.TransportError]) -> httpx.TransportError:
    """The error of aiohttp or of the system, as httpx's; `lost` where the connection is gone."""
    for kind, mapped, message in _ERRORS:
        if isinstance(error, kind):
            return mapped(message)
    return lost("connection lost")


# The special ones come first. Everything else means that the connection is gone: aiohttp reports a reset, a close and
# a write into a closed connection as it happens to notice them, so that no finer line can be drawn.
_ERRORS: Final[tuple[tuple[type[Exception], type[httpx.TransportError], str], ...]] = (
    (ConnectionTimeoutError, httpx.ConnectTimeout, "no connection in time"),
    (aiohttp.ClientConnectorDNSError, HostNotFound, "host not found"),
    (aiohttp.ClientSSLError, TlsRefused, "TLS failed"),
    (aiohttp.ClientConnectorError, httpx.ConnectError, "connection refused"),
    (InvalidURL, httpx.UnsupportedProtocol, "not an HTTP URL"),
    (NonHttpUrlClientError, httpx.UnsupportedProtocol, "not an HTTP URL"),
    (aiohttp.ClientResponseError, httpx.RemoteProtocolError, "not HTTP"),
)


_conforms: type[httpx.AsyncBaseTransport] = AiohttpUpstream
