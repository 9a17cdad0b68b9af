"""One request to a provider and what it answers, whatever dialect it speaks."""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import httpx

from adapters.outbound.providers.failures import failure_of_reply, failure_of_transport
from adapters.outbound.providers.reply_body import MAX_ERROR_BYTES, read_whole
from adapters.outbound.providers.transport import body_of
from application.ports.provider import Call
from domain.failure import Failure, ProviderFailed
from domain.redaction import Redactor

ReadFailure: TypeAlias = Callable[[int, httpx.Headers, bytes, Redactor], Failure]
"""What a reply that is no success means: its status, headers and body."""

_MICROSECONDS: Final = 1_000_000
_SUCCESS: Final = range(200, 300)


def request_of(
    call: Call,
    url: httpx.URL,
    headers: Sequence[tuple[bytes, bytes]],
    body: bytes | httpx.AsyncByteStream,
    *,
    method: str = "POST",
) -> httpx.Request:
    """The request of one attempt, with its id. A stream as `body` needs its `content-length` among the headers."""
    return httpx.Request(
        method,
        url,
        headers=[*headers, (b"x-request-id", call.request_id.encode())],
        content=body if isinstance(body, bytes) else None,
        stream=None if isinstance(body, bytes) else body,
        extensions={
            "timeout": {"connect": call.connect_timeout_us / _MICROSECONDS},
            "departure": call.departure,
        },
    )


class Exchange:
    """Sends, and reads what comes back. Raises ProviderFailed for everything that is no success."""

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        redactor: Redactor,
        failure_of_reply: ReadFailure = failure_of_reply,
    ) -> None:
        """`redactor` takes this instance's secrets out of its provider's words."""
        self._transport = transport
        self._redactor = redactor
        self._failure_of_reply = failure_of_reply

    async def send(self, request: httpx.Request) -> httpx.Response:
        """The reply once its status is a success; its body is still to be read."""
        try:
            response = await self._transport.handle_async_request(request)
        except httpx.TransportError as error:
            raise ProviderFailed(failure_of_transport(error)) from error
        if response.status_code in _SUCCESS:
            return response
        try:
            body = await self.read(response, MAX_ERROR_BYTES)
        except ProviderFailed:
            body = None  # the status says enough
        failure = self._failure_of_reply(response.status_code, response.headers, body or b"", self._redactor)
        raise ProviderFailed(failure)

    async def read(self, response: httpx.Response, max_bytes: int) -> bytes | None:
        """The whole body; None where it is larger than that."""
        try:
            return await read_whole(response, max_bytes)
        except httpx.TransportError as error:
            raise ProviderFailed(failure_of_transport(error)) from error
        finally:
            await body_of(response).aclose()
