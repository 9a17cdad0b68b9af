"""What a candidate says, piece by piece, in the words of a chat completion's delta."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.outbound.providers.failures import broken_reply
from domain.failure import ProviderFailed

_ID_PREFIX: Final = "chatcmpl-"

Piece = dict[str, Any]
Candidate = Mapping[str, Any]


class CallIds:
    """Ids for the tool calls of one reply that came without: the same each time, and of no other request.

    At most 40 characters, which is what OpenAI takes back.
    """

    __slots__ = ("_stem",)

    def __init__(self, reply_id: str) -> None:
        self._stem = "call_" + reply_id.removeprefix(_ID_PREFIX).replace("-", "")[:32]

    def of(self, call: Mapping[str, Any], choice: int, number: int) -> str:
        """Its own id, or one made for the call of that number in that choice."""
        own = call.get("id")
        return own if isinstance(own, str) and own else f"{self._stem}{choice}{number:02}"


def parts_in(candidate: Candidate) -> list[Any]:
    """The parts of a candidate's content; none where it has no content, as refused ones have not.

    Raises:
        ProviderFailed: They are no list.
    """
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, Mapping) else None
    if parts is None:
        return []
    if not isinstance(parts, list):
        raise ProviderFailed(broken_reply("the provider's reply has a candidate whose parts are no list"))
    return parts


def candidates_in(document: Mapping[str, Any]) -> list[Candidate]:
    """The candidates of a reply or an event.

    Raises:
        ProviderFailed: They are no list of objects.
    """
    candidates = document.get("candidates") or []
    if not isinstance(candidates, list) or not all(isinstance(candidate, dict) for candidate in candidates):
        raise ProviderFailed(broken_reply("the provider's reply has candidates that are no list of objects"))
    return candidates


def index_of(candidate: Candidate) -> int:
    """Which choice it is: the first, where Google leaves a 0 out."""
    index = candidate.get("index")
    return index if type(index) is int else 0


class Speaker:
    """One choice: turns its parts into pieces, and counts its calls."""

    __slots__ = ("_ids", "calls", "index")

    def __init__(self, ids: CallIds, index: int) -> None:
        self._ids = ids
        self.index = index
        self.calls = 0

    def pieces(self, parts: list[Any]) -> Iterator[Piece]:
        """A piece is a delta with `content`, `reasoning_content`, `images`, `extra_content` or one of `tool_calls`."""
        for part in parts:
            if not isinstance(part, Mapping):
                raise ProviderFailed(broken_reply("the provider's reply has a part that is no object"))
            if isinstance(call := part.get("functionCall"), Mapping):
                yield {"tool_calls": [self._call(call, part)]}
                continue
            piece = _said(part)
            if isinstance(signature := part.get("thoughtSignature"), str):
                piece["extra_content"] = {"google": {"thought_signature": signature}}
            if piece:
                yield piece

    def _call(self, call: Mapping[str, Any], part: Mapping[str, Any]) -> Piece:
        arguments = json.dumps(call.get("args") or {}, ensure_ascii=False, separators=(",", ":"))
        told: Piece = {
            "index": self.calls,
            "id": self._ids.of(call, self.index, self.calls),
            "type": "function",
            "function": {"name": call.get("name"), "arguments": arguments},
        }
        self.calls += 1
        if isinstance(signature := part.get("thoughtSignature"), str):
            told["extra_content"] = {"google": {"thought_signature": signature}}
        return told


def _said(part: Mapping[str, Any]) -> Piece:
    text = part.get("text")
    if isinstance(text, str) and text:
        return {"reasoning_content" if part.get("thought") else "content": text}
    match part.get("inlineData"):
        case {"mimeType": str(kind), "data": str(data)}:
            return {"images": [{"type": "image_url", "image_url": {"url": f"data:{kind};base64,{data}"}}]}
        case _:
            return {}
