"""The chunks of a chat completion as the events of a response."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from adapters.outbound.providers.chat_calls import CallNumbers
from adapters.outbound.providers.chat_content import text_in, thought_in
from adapters.outbound.providers.failures import broken_reply
from adapters.outbound.providers.reply_body import parse_object
from adapters.outbound.providers.responses_via_chat.reply import (
    ResponseHead,
    item_status,
    logprobs_of,
    objects_in,
)
from adapters.outbound.providers.responses_via_chat.spoken_items import Item, SpokenCall, SpokenMessage, SpokenThought
from adapters.outbound.providers.via_chat import ChunkTranslation
from application.ports.provider import Call
from application.replies.response_events import ResponseEvents
from domain.chat import Chunk, Usage
from domain.failure import ProviderFailed

Fields = Mapping[str, Any]
T = TypeVar("T", SpokenThought, SpokenMessage)


class ResponseTranslation:
    """One stream. Items are closed when another kind begins; calls, which may come interleaved, at the end.

    The last event waits for the end of the stream: usage comes after the finish reason.
    """

    __slots__ = ("_calls", "_events", "_finish", "_first", "_head", "_items", "_numbers", "_told", "_usage")

    def __init__(self, call: Call) -> None:
        self._head = ResponseHead(call)
        self._events = ResponseEvents()
        self._first: Fields | None = None
        self._items: list[Item] = []
        self._calls: dict[int, SpokenCall] = {}
        self._numbers = CallNumbers()
        self._finish: object = None
        self._usage: tuple[Usage | None, object] = (None, None)
        self._told = False

    def chunks(self, chunk: Chunk) -> Sequence[Chunk]:
        """The events in it.

        Raises:
            ProviderFailed: It holds a number that no client could read.
        """
        document = parse_object(chunk.data)
        into: list[Chunk] = []
        try:
            self._take(document, chunk, into)
        except ValueError as error:
            raise _out_of_range() from error
        self._told = self._told or any(one.content for one in into)
        return into

    def finish(self) -> Sequence[Chunk]:
        """All that is still open, and the response. Raises as `chunks`."""
        into: list[Chunk] = []
        self._open(self._first or {}, into)
        for item in self._items:
            item.close(into, "completed" if item is not self._items[-1] else item_status(self._finish))
        usage, told = self._usage
        response = self._head.document(self._first or {}, [item.whole for item in self._items], self._finish, told)
        try:
            return [*into, self._events.ended(response, usage, content=not self._told)]
        except ValueError as error:
            raise _out_of_range() from error

    def _open(self, document: Fields, into: list[Chunk]) -> None:
        if self._first is None:
            self._first = document
            into += self._events.opened(self._head.document(document, [], None))

    def _take(self, document: Fields, chunk: Chunk, into: list[Chunk]) -> None:
        self._open(document, into)
        if chunk.usage is not None:
            self._usage = chunk.usage, document.get("usage")
        for choice in objects_in(document.get("choices")):
            if choice.get("index", 0) != 0:
                continue
            delta = choice.get("delta")
            if isinstance(delta, dict) and delta:
                self._take_delta(delta, logprobs_of(choice), into)
            self._finish = choice.get("finish_reason") or self._finish

    def _take_delta(self, delta: Fields, logprobs: list[Any], into: list[Chunk]) -> None:
        thought = thought_in(delta)
        blocks = objects_in(delta.get("thinking_blocks"))
        if thought or blocks:
            self._current(SpokenThought, "rs", into).say(thought, blocks, into)
        if text := text_in(delta):
            self._current(SpokenMessage, "msg", into).say("output_text", text, logprobs, into)
        if isinstance(refusal := delta.get("refusal"), str) and refusal:
            self._current(SpokenMessage, "msg", into).say("refusal", refusal, [], into)
        if annotations := objects_in(delta.get("annotations")):
            self._current(SpokenMessage, "msg", into).annotate(annotations, into)
        for call in objects_in(delta.get("tool_calls")):
            self._call(call, into)

    def _current(self, of: type[T], kind: str, into: list[Chunk]) -> T:
        """The item that is being said, where it is of that sort; else the next one."""
        last = self._items[-1] if self._items else None
        if isinstance(last, of):
            return last
        item_id = self._head.item_id(kind, sum(isinstance(item, of) for item in self._items))
        item = of(self._events, len(self._items), item_id)
        self._begin(item, into)
        return item

    def _call(self, delta: Fields, into: list[Chunk]) -> None:
        number = self._numbers.number(delta)
        call = self._calls.get(number)
        if call is None:
            item_id = self._head.item_id("fc", len(self._calls))
            call = self._calls[number] = SpokenCall(self._events, len(self._items), item_id, delta)
            self._begin(call, into)
        call.say(delta, into)

    def _begin(self, item: Item, into: list[Chunk]) -> None:
        for other in self._items:
            if not isinstance(other, SpokenCall):
                other.close(into, "completed")
        self._items.append(item)
        into.append(item.added())


def _out_of_range() -> ProviderFailed:
    return ProviderFailed(broken_reply("the provider's stream holds a number out of range"))


_conforms: type[ChunkTranslation] = ResponseTranslation
