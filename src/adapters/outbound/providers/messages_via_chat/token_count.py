"""How many tokens a prompt has: as its provider counts it, else as the gateway itself estimates it."""

from collections.abc import Awaitable, Callable
from typing import Final

from application.ports.provider import Call, ChunkStream, Provider
from domain.chat import Endpoint, Reply, Usage
from domain.failure import FailureKind, ProviderFailed

Count = Callable[[Call], Awaitable[int | None]]
"""The provider's own count of what a call to `count_tokens` holds; None where it has none."""

_NOTHING: Final = Usage(0, 0)
# The provider does not count this, or not for this credential, or not so often: no instance rests from chats for it.
_NOT_COUNTED: Final = frozenset(
    {
        FailureKind.CREDENTIAL_REFUSED,
        FailureKind.FORBIDDEN,
        FailureKind.REQUEST_REFUSED,
        FailureKind.CONTEXT_LENGTH,
        FailureKind.UNSUPPORTED,
        FailureKind.RATE_LIMITED,
        FailureKind.QUOTA_EXHAUSTED,
    }
)


class CountingTokens:
    """A provider that also tells the length of a prompt."""

    def __init__(self, inner: Provider, count: Count | None = None) -> None:
        """`count`: where it counts itself."""
        self._inner = inner
        self._count = count

    async def complete(self, call: Call) -> Reply:
        """The whole reply, for every endpoint."""
        if call.request.endpoint is not Endpoint.COUNT_TOKENS:
            return await self._inner.complete(call)
        counted = await self._counted(call)
        if counted is not None:
            return Reply(_told(counted), _NOTHING)
        return Reply(_told(call.request.input_tokens), _NOTHING, by_gateway=True)

    async def stream(self, call: Call) -> ChunkStream:
        """As the provider's own."""
        return await self._inner.stream(call)

    async def check(self) -> int | None:
        """As the provider's own."""
        return await self._inner.check()

    async def _counted(self, call: Call) -> int | None:
        if self._count is None:
            return None
        try:
            return await self._count(call)
        except ProviderFailed as failed:
            if failed.failure.kind not in _NOT_COUNTED:
                raise
            return None


def _told(tokens: int) -> bytes:
    return b'{"input_tokens":%d}' % tokens


_conforms: type[Provider] = CountingTokens
