"""HTTP/1.1 as the gateway speaks it: what is none is refused in the shape of all other errors.

Hypercorn itself answers an empty body without a request id, and 501 to a transfer coding that it does not know.
"""

from types import MappingProxyType
from typing import Any

import h11
from hypercorn import protocol
from hypercorn.events import RawData
from hypercorn.protocol.h11 import H11Protocol

from adapters.inbound.http.errors import BadFraming, HeadersTooLarge, error_answer
from adapters.inbound.http.receiving import HEADER_BYTES
from adapters.inbound.http.strict_framing import StrictConnection

H11SendableEvent = h11.Data | h11.EndOfMessage | h11.InformationalResponse | h11.Response

_MALFORMED = BadFraming("The request is not well-formed HTTP: send it by another client, or on a new connection.")
_BY_STATUS = MappingProxyType(
    {
        431: HeadersTooLarge(f"Request line and headers are larger than {HEADER_BYTES} bytes: send less."),
        501: BadFraming("Transfer-Encoding: expected 'chunked' alone, or Content-Length instead."),
    }
)


class GatewayH11(H11Protocol):
    """One connection. It leans on Hypercorn's internals, as `asgi` does on Quart's."""

    _head = b""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.connection = StrictConnection(self.config.h11_max_incomplete_size)

    async def _send_h11_event(self, event: H11SendableEvent) -> None:
        """Sends a response's head together with what follows it, and nothing where there is nothing to send.

        Of a small reply Hypercorn makes three writes, each a system call and a wake-up of the client.
        """
        try:
            data = self._head + (self.connection.send(event) or b"")
        except h11.LocalProtocolError:
            if self.connection.their_state is not h11.ERROR:
                raise
            return
        self._head = b""
        if isinstance(event, h11.Response):
            self._head = data
        elif data:
            await self.send(RawData(data=data))

    async def _check_protocol(self, event: h11.Request) -> None:
        """Ignores `Upgrade: h2c`: passed on by a proxy, it would open a tunnel past the proxy's own rules."""
        if event.method == b"PRI":
            await super()._check_protocol(event)

    async def _send_error_response(self, status_code: int) -> None:
        door = getattr(getattr(self.app, "app", None), "front_door", None)
        if door is None:  # another application than the gateway's
            await super()._send_error_response(status_code)
            return
        answer = error_answer(_BY_STATUS.get(status_code, _MALFORMED))
        headers = [(name.encode(), value.encode()) for name, value in answer.headers]
        headers += [(b"content-length", b"%d" % len(answer.body)), (b"connection", b"close")]
        headers += [(b"x-request-id", door.new_request_id().encode()), *self.config.response_headers("h11")]
        await self._send_h11_event(h11.Response(status_code=answer.status, headers=headers))
        await self._send_h11_event(h11.Data(data=answer.body))
        await self._send_h11_event(h11.EndOfMessage())


def install() -> None:
    """Makes it the protocol of all connections of this process: Hypercorn has no setting for that."""
    protocol.H11Protocol = GatewayH11  # type: ignore[attr-defined]
