"""Replies of OpenAI's Responses: the last event of a stream holds the whole one."""

from collections.abc import Iterator
from typing import Final

from application.replies.members import Members
from application.replies.reply_json import parse, to_json
from application.replies.response_events import PARTS, ItemEvents, ResponseEvents
from domain.chat import Chunk, Reply, Usage

_PIECE_CHARACTERS: Final = 1024
_COMPLETED: Final = b"response.completed"


def whole_reply(chunk: Chunk) -> Reply | None:
    """The whole reply in a stream's event; None where it is another event. Raises ValueError for no JSON."""
    # Text that holds these words costs a parse.
    if _COMPLETED not in chunk.data:
        return None
    document = parse(chunk.data)
    response = document.get("response")
    if document.get("type") != "response.completed" or not isinstance(response, dict):
        return None
    return Reply(to_json(response), chunk.usage)


def keepable(reply: Reply) -> bool:
    """Whether a whole reply may be kept: complete, and of a shape that can be replayed as a stream."""
    try:
        _replayable(parse(reply.body))
    except ValueError:
        return False
    return True


def replayed(body: bytes, usage: Usage | None) -> list[Chunk]:
    """The events that say the same.

    Raises:
        ValueError: `body` is no completed response.
    """
    response = parse(body)
    items = _replayable(response)
    events = ResponseEvents()
    chunks = events.opened(response)
    for index, item in enumerate(items):
        chunks += _item_chunks(events, index, item)
    content = any(chunk.content for chunk in chunks)
    return [*chunks, events.ended(response, usage, content=not content)]


def _replayable(response: Members) -> list[Members]:
    output = response.get("output")
    if response.get("status") != "completed" or response.get("error") is not None or not isinstance(output, list):
        raise ValueError("expected a completed response")
    if not output or not all(isinstance(item, dict) and isinstance(item.get("type"), str) for item in output):
        raise ValueError("expected a response with items of output")
    return output


def _item_chunks(events: ResponseEvents, index: int, item: Members) -> Iterator[Chunk]:
    match item:
        case {"type": "message" | "reasoning"}:
            yield from _parted_chunks(events, index, item)
        case {"type": "function_call", "arguments": str(arguments)}:
            told = ItemEvents(events, index, {**_begun(item), "arguments": ""})
            yield told.added()
            before = told.arguments_start()
            for piece in _pieces(arguments):
                yield told.arguments_delta(before, piece)
            yield told.arguments_done(item)
            yield told.done(item)
        case _:
            told = ItemEvents(events, index, item)
            yield told.added()
            yield told.done(item)


def _parted_chunks(events: ResponseEvents, index: int, item: Members) -> Iterator[Chunk]:
    lists = {name: value for name in ("summary", "content") if isinstance(value := item.get(name), list)}
    parts = [(name, part) for name, value in lists.items() for part in value]
    empty: Members = {name: [] for name in lists}
    told = ItemEvents(events, index, {**_begun(item), **empty})
    yield told.added()
    counted: dict[str, int] = {}
    for name, part in parts:
        place = counted.get(name, 0)
        counted[name] = place + 1
        kind = part.get("type") if isinstance(part, dict) else None
        if isinstance(kind, str) and kind in PARTS and isinstance(part.get(PARTS[kind].text), str):
            yield from _part_chunks(told, place, kind, part)
    yield told.done(item)


def _part_chunks(told: ItemEvents, place: int, kind: str, part: Members) -> Iterator[Chunk]:
    events = told.part(place, kind)
    yield events.added()
    logprobs = part.get("logprobs")
    for piece in _pieces(str(part[PARTS[kind].text])):
        yield events.delta(piece, logprobs)
        logprobs = None
    annotations = part.get("annotations")
    for index, annotation in enumerate(annotations if isinstance(annotations, list) else ()):
        yield events.annotated(index, annotation)
    yield from events.done(part)


def _begun(item: Members) -> Members:
    return {**item, "status": "in_progress"} if "status" in item else item


def _pieces(text: str) -> list[str]:
    return [text[start : start + _PIECE_CHARACTERS] for start in range(0, len(text), _PIECE_CHARACTERS)]
