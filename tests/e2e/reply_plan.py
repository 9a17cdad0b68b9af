"""From a behaviour to the writes, pauses and the ending that show it on a connection. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from itertools import islice

from tests.e2e import responses_wire
from tests.e2e.behaviour import AFTER_HEAD, BEFORE_HEAD, Behaviour, Ending
from tests.e2e.openai_wire import (
    DONE,
    ERROR_EVENT,
    Ask,
    closing_events,
    content_events,
    events_before_content,
    piece,
    whole_body,
)

LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait; 0 lets the event loop turn once, so that the next write leaves on its own."""

    seconds: float


Step = bytes | Pause | Ending


@lru_cache(maxsize=512)
def plan(behaviour: Behaviour, ask: Ask) -> tuple[Step, ...]:
    """Every step of one reply. The last one is an Ending; COMPLETE leaves the connection open for the next request."""
    steps = _streamed(behaviour, ask) if ask.stream and _is_success(behaviour) else _whole(behaviour, ask)
    delayed = _after_delay(behaviour, steps)
    return tuple(_torn(delayed) if behaviour.byte_by_byte else delayed)


def _is_success(behaviour: Behaviour) -> bool:
    return behaviour.body is None and behaviour.status == HTTPStatus.OK


def _after_delay(behaviour: Behaviour, steps: Iterator[Step]) -> Iterator[Step]:
    if behaviour.delay_s:
        yield Pause(behaviour.delay_s)
    yield from steps


def _torn(steps: Iterator[Step]) -> Iterator[Step]:
    for step in steps:
        if isinstance(step, bytes):
            for index in range(len(step)):
                yield step[index : index + 1]
                yield Pause(0)
        else:
            yield step


def _whole(behaviour: Behaviour, ask: Ask) -> Iterator[Step]:
    body = whole_body(ask, behaviour) if behaviour.body is None else behaviour.body
    framing = "" if behaviour.until_close else f"content-length: {len(body)}\r\n"
    head = _head(behaviour, "application/json", framing)
    if behaviour.ends is Ending.COMPLETE:
        yield head + body
        yield Ending.FIN if behaviour.until_close else Ending.COMPLETE
        return
    if behaviour.after >= AFTER_HEAD:
        yield head
    if behaviour.after > AFTER_HEAD:
        yield body[: len(body) // 2]
    yield behaviour.ends


def _streamed(behaviour: Behaviour, ask: Ask) -> Iterator[Step]:
    completes = behaviour.ends is Ending.COMPLETE
    if not completes and behaviour.after == BEFORE_HEAD and behaviour.ends not in _ENDS_INSIDE:
        yield behaviour.ends
        return
    yield _head(behaviour, "text/event-stream", "" if behaviour.until_close else "transfer-encoding: chunked\r\n")
    for event in _events(behaviour, ask):
        yield event if behaviour.until_close else _chunk(event)
        if event != DONE:
            yield Pause(behaviour.chunk_delay_s)
    if completes or behaviour.ends in _ENDS_INSIDE:
        if not behaviour.until_close:
            yield LAST_CHUNK
        yield Ending.FIN if behaviour.until_close else Ending.COMPLETE
        return
    yield behaviour.ends


_ENDS_INSIDE = frozenset({Ending.ERROR_EVENT, Ending.SILENT_END})


def _response_events(behaviour: Behaviour, ask: Ask) -> Iterator[bytes]:
    events = responses_wire.Events()
    pieces = [piece(ask.model, index, behaviour.pad_bytes, behaviour.mark) for index in range(behaviour.chunks)]
    opening = responses_wire.opening_events(events, ask.model, behaviour)
    output = responses_wire.output_events(events, behaviour, pieces)
    if behaviour.ends is Ending.COMPLETE:
        yield from opening
        yield from output
        yield from responses_wire.closing_events(events, ask.model, behaviour, "".join(pieces))
        return
    if behaviour.after > AFTER_HEAD:
        yield from opening
        yield from islice(output, behaviour.after)
    if behaviour.ends is Ending.ERROR_EVENT:
        yield responses_wire.error_event(events)


def _events(behaviour: Behaviour, ask: Ask) -> Iterator[bytes]:
    if ask.endpoint == "responses":
        yield from _response_events(behaviour, ask)
        return
    if behaviour.ends is Ending.COMPLETE:
        yield from events_before_content(ask, behaviour)
        yield from content_events(ask, behaviour)
        yield from closing_events(ask, behaviour)
        return
    if behaviour.after > AFTER_HEAD:
        yield from events_before_content(ask, behaviour)
        yield from islice(content_events(ask, behaviour), behaviour.after)
    if behaviour.ends is Ending.ERROR_EVENT:
        yield ERROR_EVENT


def _head(behaviour: Behaviour, content_type: str, framing: str) -> bytes:
    reason = HTTPStatus(behaviour.status).phrase
    extra = "".join(f"{name}: {value}\r\n" for name, value in behaviour.headers)
    closing = "connection: close\r\n" if behaviour.until_close else ""
    lines = f"HTTP/1.1 {behaviour.status} {reason}\r\ncontent-type: {content_type}\r\n{framing}{closing}{extra}\r\n"
    return lines.encode("latin-1")


def _chunk(event: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(event), event)
