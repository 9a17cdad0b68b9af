"""Server-sent events, as each dialect frames them."""

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from quart.wrappers.response import ResponseBody

from adapters.inbound.http.errors import InternalError, error_document
from application.errors import GatewayError
from application.ports.provider import ChunkStream
from domain.chat import Chunk
from domain.identifiers import RequestId

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Framing:
    """How a dialect writes a stream.

    Attributes:
        batch: What is written for the visible chunks of a batch; nothing where there are none.
        end: What comes after the last chunk.
        error: The event that comes instead of the end.
    """

    batch: Callable[[tuple[Chunk, ...]], bytes]
    end: bytes
    error: Callable[[GatewayError], bytes]


class EventStream(ResponseBody):
    """The chunks as events, one write a batch, then what ends the stream; or one error event instead of that.

    A class and not a generator: a generator that was never started doesn't run its `finally`, and the upstream
    connection must close even where the client left before the first write.
    """

    def __init__(self, chunks: ChunkStream, request_id: RequestId, framing: Framing) -> None:
        self._chunks = chunks
        self._request_id = request_id
        self._framing = framing
        self._frame = framing.batch
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
                events = self._frame(await anext(self._chunks))
            except StopAsyncIteration:
                events = self._end_with(self._framing.end)
            except GatewayError as error:
                events = self._end_with(self._framing.error(error))
            except Exception:  # noqa: BLE001 - the outermost handler of a stream
                # The status line is long gone: the client can only be told in the stream.
                _log.exception("stream of request %s failed", self._request_id)
                events = self._end_with(self._framing.error(InternalError()))
            if events:
                return events
        raise StopAsyncIteration

    def _end_with(self, events: bytes) -> bytes:
        self._ended = True
        return events


def _data_events(batch: tuple[Chunk, ...]) -> bytes:
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


def named_events(batch: tuple[Chunk, ...]) -> bytes:
    """Events that also say what they are: their data's `type`, which every document of such a dialect begins with."""
    return b"".join([named_event(chunk.data) for chunk in batch if chunk.visible])


def named_event(data: bytes) -> bytes:
    """One such event."""
    start = len(_TYPE)
    name = data[start : data.index(b'"', start)] if data.startswith(_TYPE) else _read_type(data)
    return b"event: " + name + b"\n" + _event(data)


def _read_type(data: bytes) -> bytes:
    name = json.loads(data).get("type")
    return name.encode() if isinstance(name, str) and _NAME.fullmatch(name) else b"message"


_TYPE = b'{"type":"'
_NAME = re.compile(r"[A-Za-z0-9_.-]+")

OPENAI = Framing(_data_events, b"data: [DONE]\n\n", lambda error: _event(error_document(error)))
