"""The events that an OpenAI response is told in, one for each step, numbered from 0."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from application.replies.members import Members
from application.replies.reply_json import to_json
from domain.chat import Chunk, Usage

TERMINAL: Final = frozenset({"response.completed", "response.incomplete", "response.failed"})
"""The types of a stream's last event, which holds the whole response."""


@dataclass(frozen=True, slots=True)
class PartKind:
    """How a part of an item is told.

    Attributes:
        text: The member that grows.
        part_event, text_event: What the types of its events begin with.
        list_name: The member of the item that it stands in.
        index_name: What its place there is called.
        extras: What its text events have besides.
    """

    text: str
    part_event: str
    text_event: str
    list_name: str = "content"
    index_name: str = "content_index"
    extras: tuple[str, ...] = ()


PARTS: Final[Mapping[str, PartKind]] = {
    "output_text": PartKind("text", "response.content_part", "response.output_text", extras=("logprobs",)),
    "refusal": PartKind("refusal", "response.content_part", "response.refusal"),
    "reasoning_text": PartKind("text", "response.content_part", "response.reasoning_text"),
    "summary_text": PartKind(
        "text", "response.reasoning_summary_part", "response.reasoning_summary_text", "summary", "summary_index"
    ),
}
"""By the part's type."""


class ResponseEvents:
    """Makes the events of one response."""

    __slots__ = ("_number",)

    def __init__(self) -> None:
        self._number = 0

    def event(self, kind: str, members: Members, *, content: bool = False, usage: Usage | None = None) -> Chunk:
        """The next event. Raises ValueError for a number that JSON has not."""
        data = to_json({"type": kind, **members, "sequence_number": self._number})
        self._number += 1
        return Chunk(data, content=content, usage=usage)

    def delta(self, before: bytes, piece: str) -> Chunk:
        """The next event, which is output: `before` is its JSON up to the piece itself."""
        data = b'%b%b,"sequence_number":%d}' % (before, to_json(piece), self._number)
        self._number += 1
        return Chunk(data)

    def opened(self, response: Members) -> list[Chunk]:
        """The first two, about a response of which nothing is known but how it was asked for."""
        begun = {**response, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
        begun.pop("completed_at", None)
        return [self.event(kind, {"response": begun}) for kind in ("response.created", "response.in_progress")]

    def ended(self, response: Members, usage: Usage | None, *, content: bool = False) -> Chunk:
        """The last one. `content`: where there was none before."""
        return self.event(f"response.{response['status']}", {"response": response}, content=content, usage=usage)


class ItemEvents:
    """The events of one item of the output."""

    __slots__ = ("_events", "_index", "item")

    def __init__(self, events: ResponseEvents, index: int, item: Members) -> None:
        """`item` as it is when nothing of it has been said."""
        self.item = item
        self._events = events
        self._index = index

    def added(self) -> Chunk:
        """That there is one. A call is output already; a message may stay empty."""
        is_output = self.item["type"] not in {"message", "reasoning"}
        place: Members = {"output_index": self._index, "item": self.item}
        return self._events.event("response.output_item.added", place, content=is_output)

    def part(self, index: int, kind: str) -> "PartEvents":
        """For a part of it."""
        return PartEvents(self._events, {"item_id": self.item.get("id"), "output_index": self._index}, index, kind)

    def arguments_start(self) -> bytes:
        """What a delta of a call's arguments begins with."""
        return _delta_start("response.function_call_arguments.delta", self._place())

    def arguments_delta(self, before: bytes, piece: str) -> Chunk:
        """A piece of a call's arguments; `before` as above."""
        return self._events.delta(before, piece)

    def arguments_done(self, call: Members) -> Chunk:
        """That a call's arguments are complete."""
        told = {**self._place(), "name": call.get("name"), "arguments": call["arguments"]}
        return self._events.event("response.function_call_arguments.done", told)

    def done(self, item: Members) -> Chunk:
        """That all of it has been said."""
        return self._events.event("response.output_item.done", {"output_index": self._index, "item": item})

    def _place(self) -> Members:
        return {"item_id": self.item.get("id"), "output_index": self._index}


class PartEvents:
    """The events of one part of an item."""

    __slots__ = ("_before", "_events", "_kind", "_place", "_type")

    def __init__(self, events: ResponseEvents, item: Members, index: int, kind: str) -> None:
        self._events = events
        self._type = kind
        self._kind = PARTS[kind]
        self._place: Members = {**item, self._kind.index_name: index}
        extras: Members = {name: [] for name in self._kind.extras}
        self._before = _delta_start(f"{self._kind.text_event}.delta", {**self._place, **extras})

    def added(self) -> Chunk:
        """That there is one."""
        empty: Members = {"type": self._type, self._kind.text: ""}
        if self._type == "output_text":
            empty |= {"annotations": [], "logprobs": []}
        return self._events.event(f"{self._kind.part_event}.added", {**self._place, "part": empty})

    def delta(self, piece: str, logprobs: object = None) -> Chunk:
        """A piece of its text."""
        if not logprobs:
            return self._events.delta(self._before, piece)
        told = {**self._place, "logprobs": logprobs, "delta": piece}
        return self._events.event(f"{self._kind.text_event}.delta", told, content=True)

    def annotated(self, index: int, annotation: object) -> Chunk:
        """What belongs to its text."""
        told = {**self._place, "annotation_index": index, "annotation": annotation}
        return self._events.event("response.output_text.annotation.added", told)

    def done(self, part: Members) -> list[Chunk]:
        """That it is complete."""
        text = {self._kind.text: part[self._kind.text], **{name: part.get(name) or [] for name in self._kind.extras}}
        return [
            self._events.event(f"{self._kind.text_event}.done", {**self._place, **text}),
            self._events.event(f"{self._kind.part_event}.done", {**self._place, "part": part}),
        ]


def _delta_start(kind: str, members: Members) -> bytes:
    return to_json({"type": kind, **members})[:-1] + b',"delta":'
