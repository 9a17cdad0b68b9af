"""Server-sent events, as OpenAI frames them."""

import logging
from types import TracebackType
from typing import Self

from quart.wrappers.response import ResponseBody

from adapters.inbound.http.errors import InternalError, error_document
from application.errors import GatewayError
from application.ports.provider import ChunkStream
from domain.chat import Chunk
from domain.identifiers import RequestId

_DONE = b"data: [DONE]\n\n"

_log = logging.getLogger(__name__)


class EventStream(ResponseBody):
    """The chunks as events, one write a batch, then `[DONE]`; or one error event instead of it.

    A class and not a generator: a generator that was never started doesn't run its `finally`, and the upstream
    connection must close even where the client left before the first write.
    """

    def __init__(self, chunks: ChunkStream, request_id: RequestId) -> None:
        self._chunks = chunks
        self._request_id = request_id
        self._ended = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended = True
        await self._chunks.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while not self._ended:
            try:
                events = _frame(await anext(self._chunks))
            except StopAsyncIteration:
                events = self._end_with(_DONE)
            except GatewayError as error:
                events = self._end_with(_event(error_document(error)))
            except Exception:  # noqa: BLE001 - the outermost handler of a stream
                # The status line is long gone: the client can only be told in the stream.
                _log.exception("stream of request %s failed", self._request_id)
                events = self._end_with(_event(error_document(InternalError())))
            if events:
                return events
        raise StopAsyncIteration

    def _end_with(self, events: bytes) -> bytes:
        self._ended = True
        return events


def _frame(batch: tuple[Chunk, ...]) -> bytes:
    visible = [chunk.data for chunk in batch if chunk.visible]
    if not visible:
        return b""
    events = b"data: " + b"\n\ndata: ".join(visible) + b"\n\n"
    if events.count(b"\n") == 2 * len(visible) and b"\r" not in events:
        return events
    return b"".join([_event(data) for data in visible])


def _event(payload: bytes) -> bytes:
    if b"\n" in payload or b"\r" in payload:
        # Between tokens of JSON a line break is white space; in an event it would end the line.
        payload = payload.replace(b"\n", b" ").replace(b"\r", b" ")
    return b"data: " + payload + b"\n\n"
