"""A provider of a dialect of its own that has one more endpoint, which needs no translation."""

from collections.abc import Collection

from adapters.outbound.providers.forwarding.forwarder import Forwarder
from application.ports.provider import Call, ChunkStream, Provider
from domain.chat import Endpoint, Reply


class ForwardingProvider:
    """Forwards some endpoints; the others are `inner`'s."""

    def __init__(self, inner: Provider, forwarder: Forwarder, endpoints: Collection[Endpoint]) -> None:
        self._inner = inner
        self._forwarder = forwarder
        self._endpoints = frozenset(endpoints)

    async def complete(self, call: Call) -> Reply:
        """The whole reply."""
        if call.request.endpoint in self._endpoints:
            return await self._forwarder.complete(call)
        return await self._inner.complete(call)

    async def stream(self, call: Call) -> ChunkStream:
        """The opened stream."""
        if call.request.endpoint in self._endpoints:
            return await self._forwarder.stream(call)
        return await self._inner.stream(call)

    async def check(self) -> int | None:
        """As `inner`."""
        return await self._inner.check()


_conforms: type[Provider] = ForwardingProvider
