"""Anthropic's events that say the same as a whole message."""

from collections.abc import Iterator
from typing import Final

from application.replies.members import Members
from application.replies.messages.whole_message import blocks_of
from application.replies.reply_json import to_json
from domain.chat import Chunk, Usage

_ENDING: Final = ("stop_reason", "stop_sequence", "stop_details")
# What the last event tells beside the message's own end.
_BESIDE: Final = ("context_management",)
_DELTAS: Final = {"text": ("text_delta", "text"), "thinking": ("thinking_delta", "thinking")}


def message_chunks(document: Members, usage: Usage | None, piece_characters: int) -> list[Chunk]:
    """The events, with at most so many characters in each.

    Raises:
        ValueError: `document` is no whole message.
    """
    blocks = blocks_of(document)
    told = document.get("usage")
    counts = told if isinstance(told, dict) else {}
    beside = {name: document[name] for name in _BESIDE if name in document}
    before = {name: value for name, value in document.items() if name not in beside}
    opening: Members = {**before, "content": [], **{name: None for name in _ENDING if name in document}}
    opening["usage"] = {**counts, "output_tokens": 0}
    chunks = [_event("message_start", message=opening)]
    for index, block in enumerate(blocks):
        chunks += _block_events(index, block, piece_characters)
    delta = {name: document[name] for name in _ENDING if name in document}
    last = {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 0, **counts}, **beside}
    return [*chunks, Chunk(to_json(last), usage=usage), _event("message_stop")]


def _block_events(index: int, block: Members, piece_characters: int) -> Iterator[Chunk]:
    opening, deltas = _pieces(block, piece_characters)
    yield _event("content_block_start", content=not deltas, index=index, content_block=opening)
    for delta in deltas:
        yield _event("content_block_delta", content=True, index=index, delta=delta)
    yield _event("content_block_stop", index=index)


def _pieces(block: Members, most: int) -> tuple[Members, list[Members]]:
    """The block as it is opened, and what is added to it."""
    match block:
        case {"type": "tool_use", "input": given}:
            said = to_json(given).decode() if given else ""
            pieces: list[Members] = [{"type": "input_json_delta", "partial_json": piece} for piece in _cut(said, most)]
            return {**block, "input": {}}, pieces
        case {"type": "text" | "thinking" as kind}:
            delta_type, name = _DELTAS[kind]
            pieces = [{"type": delta_type, name: piece} for piece in _cut(str(block[name]), most)]
            opening: Members = {**block, name: ""}
            if signature := block.get("signature"):
                opening["signature"] = ""
                pieces.append({"type": "signature_delta", "signature": signature})
            return opening, pieces
        case _:
            return block, []


def _cut(text: str, most: int) -> list[str]:
    return [text[start : start + most] for start in range(0, len(text), most)]


def _event(kind: str, *, content: bool = False, **members: object) -> Chunk:
    return Chunk(to_json({"type": kind, **members}), content=content)
