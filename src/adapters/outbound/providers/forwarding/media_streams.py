"""Replies of any kind, passed on as they come."""

import json
from collections.abc import AsyncIterator
from typing import Final

import httpx

from adapters.outbound.providers.failures import failure_inside_success
from adapters.outbound.providers.forwarding.event_blocks import EventBlocks, data_of
from adapters.outbound.providers.forwarding.work_done import work_done
from adapters.outbound.providers.provider_stream import ProviderStream
from application.ports.provider import MediaStream
from domain.chat import Chunk, LlmRequest
from domain.failure import ProviderFailed
from domain.redaction import Redactor

_DONE: Final = b"[DONE]"
_LAST: Final = (".done", ".completed")


class _Pieces:
    """Network reads as they are."""

    def feed(self, read: bytes) -> list[bytes]:
        return [read] if read else []

    def finish(self) -> list[bytes]:
        return []


class SoundStream(ProviderStream[bytes], MediaStream):
    """Bytes, complete where the connection says that they are."""

    def __init__(self, response: httpx.Response, content_type: str) -> None:
        super().__init__(response, _Pieces())
        self.content_type = content_type

    def _chunks(self, events: list[bytes], into: list[Chunk]) -> bool:
        into += [Chunk(piece) for piece in events]
        return False

    def _last_chunks(self, events: list[bytes], into: list[Chunk]) -> bool:
        self._chunks(events, into)
        return True


class EventStream(ProviderStream[bytes], MediaStream):
    """Events of speech, transcripts and pictures. Complete at its end, once one of the last kind was there."""

    def __init__(self, response: httpx.Response, content_type: str, request: LlmRequest, redactor: Redactor) -> None:
        super().__init__(response, EventBlocks())
        self.content_type = content_type
        self._request = request
        self._redactor = redactor
        self._seen_last = False

    def _chunks(self, events: list[bytes], into: list[Chunk]) -> bool:
        into += [self._chunk(block) for block in events]
        return False

    def _last_chunks(self, events: list[bytes], into: list[Chunk]) -> bool:
        self._chunks(events, into)
        return self._seen_last

    def _chunk(self, block: bytes) -> Chunk:
        data = data_of(block)
        if data == _DONE:
            self._seen_last = True
            return Chunk(block)
        # A picture is a megabyte of base64 in one event: only what may say something is read.
        if not (b".done" in data or b".completed" in data or b'"error"' in data or b'"usage"' in data):
            return Chunk(block, content=bool(data))
        try:
            document = json.loads(data)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            return Chunk(block)
        failure = failure_inside_success(document, self._redactor)
        if failure is not None:
            raise ProviderFailed(failure)
        self._seen_last = self._seen_last or str(document.get("type")).endswith(_LAST)
        usage = work_done(document, self._request) if isinstance(document.get("usage"), dict) else None
        return Chunk(block, usage=usage)


class WholeStream(MediaStream):
    """A reply that came whole although a stream was asked for: some models know no other."""

    def __init__(self, content_type: str, chunk: Chunk) -> None:
        self.content_type = content_type
        self._left = [(chunk,)]

    def __aiter__(self) -> AsyncIterator[tuple[Chunk, ...]]:
        return self

    async def __anext__(self) -> tuple[Chunk, ...]:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()

    async def aclose(self) -> None:
        """Nothing is open."""
        self._left.clear()
