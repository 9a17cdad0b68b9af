"""A transport that is opened by the first request, inside the event loop that it then belongs to."""

from collections.abc import Awaitable, Callable

import httpx


class LazyTransport(httpx.AsyncBaseTransport):
    """Opens the real transport when it is first used; closing one that was never used is fine."""

    def __init__(self, open_transport: Callable[[], Awaitable[httpx.AsyncBaseTransport]]) -> None:
        self._open_transport = open_transport
        self._transport: httpx.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The reply of the real transport."""
        transport = self._transport
        if transport is None:
            opened = await self._open_transport()
            # Another first request may have been quicker.
            if self._transport is None:
                self._transport = opened
            else:
                await opened.aclose()
            transport = self._transport
        return await transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Closes the real transport; the next request would open another."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()


_conforms: type[httpx.AsyncBaseTransport] = LazyTransport
