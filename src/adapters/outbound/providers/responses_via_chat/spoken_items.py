"""Items of a response while a model still says them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from adapters.outbound.providers.chat_calls import function_in
from adapters.outbound.providers.responses_via_chat import reply
from application.replies.response_events import ItemEvents, PartEvents, ResponseEvents
from domain.chat import Chunk

Fields = Mapping[str, Any]


class Item(ABC):
    """One of them; its place in the output is fixed when it begins.

    Attributes:
        whole: As it is in the end.
    """

    __slots__ = ("_closed", "_item_events", "whole")

    def __init__(self, events: ResponseEvents, index: int, empty: dict[str, Any]) -> None:
        self._item_events = ItemEvents(events, index, empty)
        self._closed = False
        self.whole: dict[str, Any] = empty

    def added(self) -> Chunk:
        """That it begins."""
        return self._item_events.added()

    def close(self, into: list[Chunk], status: str) -> None:
        """That it ends; only once."""
        if not self._closed:
            self._closed = True
            self._finish(into, status)
            into.append(self._item_events.done(self.whole))

    @abstractmethod
    def _finish(self, into: list[Chunk], status: str) -> None:
        """Ends its parts, and makes it whole."""


class SpokenThought(Item):
    """What the model thinks."""

    __slots__ = ("_blocks", "_part", "_text")

    def __init__(self, events: ResponseEvents, index: int, item_id: str) -> None:
        super().__init__(events, index, reply.reasoning_item(item_id, "", [], "in_progress"))
        self._text: list[str] = []
        self._blocks: list[object] = []
        self._part: PartEvents | None = None

    def say(self, text: str, blocks: list[dict[str, Any]], into: list[Chunk]) -> None:
        """The next piece, and blocks that are complete. In a stream each block has an index of its own."""
        self._blocks += [{name: value for name, value in block.items() if name != "index"} for block in blocks]
        if text:
            if self._part is None:
                self._part = self._item_events.part(0, "reasoning_text")
                into.append(self._part.added())
            self._text.append(text)
            into.append(self._part.delta(text))

    def _finish(self, into: list[Chunk], status: str) -> None:
        self.whole = reply.reasoning_item(self.whole["id"], "".join(self._text), self._blocks, status)
        if self._part is not None:
            into += self._part.done(self.whole["content"][0])


class SpokenMessage(Item):
    """What it says, and what it refuses to."""

    __slots__ = ("_annotations", "_logprobs", "_parts", "_texts")

    def __init__(self, events: ResponseEvents, index: int, item_id: str) -> None:
        super().__init__(events, index, reply.message_item(item_id, [], "in_progress"))
        self._parts: dict[str, PartEvents] = {}
        self._texts: dict[str, list[str]] = {}
        self._annotations: list[Any] = []
        self._logprobs: list[Any] = []

    def say(self, kind: str, text: str, logprobs: list[Any], into: list[Chunk]) -> None:
        """The next piece."""
        part = self._part(kind, into)
        self._texts[kind].append(text)
        self._logprobs += logprobs
        into.append(part.delta(text, logprobs))

    def annotate(self, annotations: list[dict[str, Any]], into: list[Chunk]) -> None:
        """Citations in what it says."""
        part = self._part("output_text", into)
        for annotation in map(reply.annotation_of, annotations):
            into.append(part.annotated(len(self._annotations), annotation))
            self._annotations.append(annotation)

    def _part(self, kind: str, into: list[Chunk]) -> PartEvents:
        part = self._parts.get(kind)
        if part is None:
            part = self._parts[kind] = self._item_events.part(len(self._parts), kind)
            self._texts[kind] = []
            into.append(part.added())
        return part

    def _finish(self, into: list[Chunk], status: str) -> None:
        parts = []
        for kind, events in self._parts.items():
            text = "".join(self._texts[kind])
            said = reply.text_part(text, self._annotations, self._logprobs)
            parts.append(said if kind == "output_text" else reply.refusal_part(text))
            into += events.done(parts[-1])
        self.whole = reply.message_item(self.whole["id"], parts, status)


class SpokenCall(Item):
    """A function call."""

    __slots__ = ("_arguments", "_before", "_call")

    def __init__(self, events: ResponseEvents, index: int, item_id: str, delta: Fields) -> None:
        function = function_in(delta)
        self._call = {**delta, "function": {"name": function.get("name")}}
        super().__init__(events, index, reply.call_item(item_id, self._call, "in_progress"))
        self._arguments: list[str] = []
        self._before = self._item_events.arguments_start()

    def say(self, delta: Fields, into: list[Chunk]) -> None:
        """The next piece of its arguments."""
        if delta.get("extra_content"):
            self._call["extra_content"] = delta["extra_content"]
        function = delta.get("function")
        piece = function.get("arguments") if isinstance(function, dict) else None
        if isinstance(piece, str) and piece:
            self._arguments.append(piece)
            into.append(self._item_events.arguments_delta(self._before, piece))

    def _finish(self, into: list[Chunk], status: str) -> None:
        call = {**self._call, "function": {**self._call["function"], "arguments": "".join(self._arguments)}}
        self.whole = reply.call_item(self.whole["id"], call, status)
        into.append(self._item_events.arguments_done(self.whole))
