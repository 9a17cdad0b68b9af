"""What an answer is made from and made of: the request as views see it, and the ways to answer it."""

from collections.abc import Generator, Iterable
from typing import Any, cast

from hypercorn.typing import HTTPScope
from quart import Request, Response
from quart.globals import _cv_request
from quart.wrappers.response import ResponseBody
from werkzeug.datastructures import Headers

from adapters.inbound.http.request_headers import RawHeaders, declared_length
from adapters.inbound.http.response_headers import Header
from domain.callers import Caller
from domain.form import Form
from domain.identifiers import RequestId


class WireHeaders(Headers):
    """Headers that are known to be well-formed: Werkzeug's own methods check each again, at 1 µs apiece."""

    def __init__(self, pairs: Iterable[Header] = ()) -> None:
        super().__init__()
        self._list = list(pairs)

    def append(self, header: Header) -> None:
        """Adds one more."""
        self._list.append(header)


class _BodyAtHand:
    """A request body that has arrived: what Quart's Body offers, without its events."""

    def __init__(self, _expected: int | None, _limit: int | None) -> None:
        self._data = b""

    def __await__(self) -> Generator[Any, Any, bytes]:
        yield from ()
        return self._data

    def append(self, data: bytes) -> None:
        self._data += data

    def set_complete(self) -> None:
        """Nothing waits."""

    def clear(self) -> None:
        self._data = b""


class Incoming(Request):
    """A request whose body has arrived and whose caller is known.

    Attributes:
        raw: The headers as they arrived; for a name sent twice, a list.
        payload: The whole body; empty where it was a form.
        upload: The form; None where it was none.
        caller: Who sent it; None only on the open paths.
    """

    body_class = cast("Any", _BodyAtHand)

    def __init__(self, scope: HTTPScope, raw: RawHeaders, request_id: RequestId) -> None:
        self.raw = raw
        self.payload = b""
        self.upload: Form | None = None
        self.caller: Caller | None = None
        self.request_id = request_id
        self.client_request_id: str | None = None
        client = scope.get("client")
        pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        super().__init__(
            scope["method"],
            scope["scheme"],
            scope["path"],
            scope["query_string"],
            # Quart looks for the peer's address under this name, and takes the first.
            WireHeaders([("Remote-Addr", client[0] if client else "<local>"), *pairs]),
            scope["root_path"],
            scope["http_version"],
            scope,
            send_push_promise=_no_push,
        )

    @property
    def content_length(self) -> int | None:
        """The body's length in bytes, as the client declared it."""
        return declared_length(self.raw)

    @property
    def known_caller(self) -> Caller:
        """The caller of a path that is not open."""
        if self.caller is None:
            raise PermissionError("an open path has no caller")
        return self.caller


class Outgoing(Response):
    """An answer made of parts that are known to be well-formed: a whole body, or a stream that may flow for ever."""

    def __init__(
        self, status: int, headers: Iterable[Header], body: bytes | ResponseBody, error_code: str | None = None
    ) -> None:
        self.error_code = error_code
        wire = WireHeaders(headers)
        if isinstance(body, bytes):
            wire.append(("content-length", str(len(body))))
            body = self.data_body_class(body)
        super().__init__(body, status, wire)
        # Quart's own limit of 60 s on sending would cut streams, and costs a task.
        self.timeout = None


def incoming() -> Incoming:
    """The request being handled."""
    return cast("Incoming", _cv_request.get().request)


async def _no_push(_path: str, _headers: object) -> None:
    """Server push is not offered."""
