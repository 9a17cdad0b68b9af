"""The chunks of a chat completion as the events of a message."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from adapters.outbound.providers.chat_calls import CallNumbers, call_id_of, function_in, objects_in
from adapters.outbound.providers.chat_content import text_in, thought_in
from adapters.outbound.providers.chat_documents import json_of
from adapters.outbound.providers.failures import broken_reply
from adapters.outbound.providers.messages_via_chat.blocks import Blocks
from adapters.outbound.providers.messages_via_chat.reply import (
    ending_of,
    head,
    usage_of,
    usage_shown,
)
from adapters.outbound.providers.reply_body import parse_object
from adapters.outbound.providers.via_chat import ChunkTranslation
from application.output_count import OutputCount
from application.ports.provider import Call
from domain.chat import Chunk, Usage
from domain.failure import ProviderFailed

Fields = Mapping[str, Any]

_STOP: Final = Chunk(b'{"type":"message_stop"}', content=False)


class MessageEvents:
    """One stream.

    Chat may write several tool calls at the same time, and messages hold one block after the other. So what comes while
    a call is still being written waits: a call that has become a whole JSON object is done, and makes way at once.
    """

    __slots__ = (
        "_blocks",
        "_call",
        "_choice",
        "_counted",
        "_numbers",
        "_refusal",
        "_seen_calls",
        "_started",
        "_told_usage",
        "_usage",
        "_waiting",
        "_waiting_calls",
    )

    def __init__(self, call: Call) -> None:
        self._call = call
        self._blocks = Blocks()
        self._started = False
        self._choice: dict[str, Any] = {}
        self._refusal = ""
        self._usage: Usage | None = None
        self._told_usage: dict[str, object] | None = None
        self._counted = OutputCount()
        self._numbers = CallNumbers()
        self._seen_calls: set[int] = set()
        self._waiting: list[tuple[str, Any]] = []
        self._waiting_calls: dict[int, list[Fields]] = {}

    def chunks(self, chunk: Chunk) -> Sequence[Chunk]:
        """What the chunk means. Usage waits for the end, where a message tells it."""
        document = parse_object(chunk.data)
        if chunk.usage is not None:
            self._usage, self._told_usage = chunk.usage, usage_of(document.get("usage"))
        events = [] if self._started else self._start()
        match document.get("choices"):
            case [dict(choice), *_]:
                self._take(choice, events)
        self._counted.add(tuple(events))
        return events

    def finish(self) -> Sequence[Chunk]:
        """What waited, then why it ended and what it used."""
        events = [] if self._started else self._start()
        self._blocks.close(events)
        for kind, told in self._waiting:
            self._write(kind, told, events)
        for number, deltas in sorted(self._waiting_calls.items()):
            for delta in deltas:
                self._write_call(number, delta, events)
        self._blocks.close(events)
        self._counted.add(tuple(events))
        ending = ending_of(self._choice, self._call, has_calls=bool(self._seen_calls), refusal=self._refusal)
        delta = {"type": "message_delta", "delta": ending, "usage": self._usage_told()}
        return [*events, Chunk(json_of(delta), usage=self._usage), _STOP]

    def _start(self) -> list[Chunk]:
        self._started = True
        # What the prompt came to is known at the end; until then a guess is better than nothing.
        usage = usage_shown(Usage(self._call.request.input_tokens, 0))
        ending: dict[str, object] = {"content": [], "stop_reason": None, "stop_sequence": None, "stop_details": None}
        told = {"type": "message_start", "message": {**head(self._call), **ending, "usage": usage}}
        return [Chunk(json_of(told), content=False)]

    def _take(self, choice: Fields, into: list[Chunk]) -> None:
        delta = choice.get("delta")
        if isinstance(delta, dict):
            self._take_delta(delta, into)
        for name in ("finish_reason", "stop_sequence", "stop_reason"):
            if choice.get(name) is not None:
                self._choice[name] = choice[name]

    def _take_delta(self, delta: Fields, into: list[Chunk]) -> None:
        if thought := thought_in(delta):
            self._say("thinking", thought, into)
        if blocks := delta.get("thinking_blocks"):
            for block in objects_in(blocks):
                self._say("thought", block, into)
        if text := text_in(delta):
            self._say("text", text, into)
        if isinstance(refusal := delta.get("refusal"), str) and refusal:
            self._refusal += refusal
            self._say("refusal", refusal, into)
        if calls := delta.get("tool_calls"):
            for call in objects_in(calls):
                self._take_call(call, into)

    def _say(self, kind: str, told: Any, into: list[Chunk]) -> None:
        if self._waiting or not self._blocks.is_at_rest:
            self._waiting.append((kind, told))
        else:
            self._write(kind, told, into)

    def _write(self, kind: str, told: Any, into: list[Chunk]) -> None:
        match kind:
            case "thinking":
                self._blocks.thinking(told, into)
            case "thought":
                self._blocks.thought(told, into)
            case _:
                self._blocks.text(told, into)

    def _take_call(self, delta: Fields, into: list[Chunk]) -> None:
        number = self._numbers.number(delta)
        someone_waits = self._waiting or self._waiting_calls
        if self._blocks.call != number and (someone_waits or not self._blocks.is_at_rest):
            self._seen_calls.add(number)
            self._waiting_calls.setdefault(number, []).append(delta)
            return
        self._write_call(number, delta, into)

    def _write_call(self, number: int, delta: Fields, into: list[Chunk]) -> None:
        piece = function_in(delta).get("arguments")
        if self._blocks.call != number:
            if number in self._seen_calls and number not in self._waiting_calls:
                if isinstance(piece, str) and piece.strip():
                    raise ProviderFailed(broken_reply("the provider's stream goes on with a tool call that was whole"))
                return
            self._seen_calls.add(number)
            self._blocks.start_call(number, {**delta, "id": call_id_of(delta, self._call, number)}, into)
        if isinstance(piece, str) and piece:
            self._blocks.arguments(piece, into)

    def _usage_told(self) -> dict[str, object]:
        if self._told_usage is not None:
            return self._told_usage
        return usage_shown(self._usage or Usage(self._call.request.input_tokens, self._counted.tokens))


_conforms: type[ChunkTranslation] = MessageEvents
