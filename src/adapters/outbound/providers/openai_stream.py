"""The open stream of a provider that speaks OpenAI's dialect."""

from typing import Final

import httpx

from adapters.outbound.providers.openai_chunks import ChunkRelay
from adapters.outbound.providers.provider_stream import ProviderStream
from adapters.outbound.providers.sse import SseParser
from application.ports.provider import ChunkStream
from domain.chat import Chunk

_DONE: Final = b"[DONE]"
# The finish reason, the usage and `[DONE]`: what must be read comes at the end, and often with much that need not.
_ENDING: Final = 3
_FEW: Final = 2


class OpenAIChunkStream(ProviderStream[bytes]):
    """Complete at `[DONE]`.

    Servers exist that leave it out; where every choice has its finish reason and the connection ends cleanly, that is
    complete too.
    """

    __slots__ = ("_relay",)

    def __init__(self, response: httpx.Response, relay: ChunkRelay) -> None:
        super().__init__(response, SseParser())
        self._relay = relay

    def _chunks(self, events: list[bytes], into: list[Chunk]) -> bool:
        chunk = self._relay.chunk
        if len(events) > _FEW:
            relayed = self._relay.relayed(events) or self._relay.relayed(events[:-_ENDING])
            into += relayed
            events = events[len(relayed) :]
        for data in events:
            if data == _DONE:
                return True
            into.append(chunk(data))
        return False

    def _last_chunks(self, events: list[bytes], into: list[Chunk]) -> bool:
        for data in events:
            if data == _DONE:
                return True
            # It may have been cut: none of it is taken on trust.
            into.append(self._relay.parsed_chunk(data))
        return self._relay.all_finished


_conforms: type[ChunkStream] = OpenAIChunkStream
