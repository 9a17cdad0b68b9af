"""Anthropic's events as chunks of a chat completion."""

from collections.abc import Mapping
from typing import Any, Final

from adapters.outbound.providers.anthropic.errors import failure_of_event
from adapters.outbound.providers.anthropic.reply import (
    arguments_of,
    finish_reason,
    refusal,
    stop_sequence,
    usage_of,
    usage_shown,
)
from adapters.outbound.providers.chat_documents import ChatChunks
from adapters.outbound.providers.failures import broken_reply
from adapters.outbound.providers.reply_body import parse_event
from adapters.outbound.providers.translated_stream import StreamTranslation
from domain.chat import Chunk
from domain.failure import ProviderFailed
from domain.redaction import Redactor

_KNOWN_DELTAS: Final = ("text_delta", "thinking_delta", "signature_delta", "input_json_delta")


class AnthropicEvents:
    """One stream. Texts, thoughts and tool calls come in blocks, one after the other; tool calls are counted apart.

    A thought goes out twice: its text as it comes, and at its end the whole signed block, for showing it to the model
    again.
    """

    __slots__ = (
        "_block",
        "_calls",
        "_chunks",
        "_complete",
        "_finished",
        "_pieces",
        "_redactor",
        "_signature",
        "_thoughts",
        "_usage",
    )

    def __init__(self, chunks: ChatChunks, redactor: Redactor) -> None:
        self._chunks = chunks
        self._redactor = redactor
        self._usage: dict[str, Any] = {}
        self._block: Mapping[str, Any] = {}
        self._pieces: list[str] = []
        self._signature = ""
        self._calls = -1
        self._thoughts = -1
        self._finished = False
        self._complete = False

    @property
    def is_complete(self) -> bool:
        return self._complete

    def chunks(self, event: bytes) -> list[Chunk]:
        """What the event means. Unknown ones, and those that only keep the connection, mean nothing."""
        told = parse_event(event)
        match told.get("type"):
            case "content_block_delta":
                return self._delta(_object(told, "delta"))
            case "content_block_start":
                return self._block_started(_object(told, "content_block"))
            case "content_block_stop":
                return self._block_ended()
            case "message_start" | "message_delta":
                return self._message(told)
            case "message_stop":
                return self._end()
            case "error":
                raise ProviderFailed(failure_of_event(told, self._redactor))
            case _:
                return []

    def _message(self, told: Mapping[str, Any]) -> list[Chunk]:
        if told["type"] == "message_start":
            self._count(_object(told, "message").get("usage"))
            return [self._chunks.role()]
        self._count(told.get("usage"))
        return self._finish(_object(told, "delta"))

    def _count(self, usage: object) -> None:
        """Each count is that of the whole message so far."""
        if isinstance(usage, dict):
            self._usage |= {name: count for name, count in usage.items() if count is not None}

    def _block_started(self, block: Mapping[str, Any]) -> list[Chunk]:
        self._block, self._pieces, self._signature = block, [], ""
        match block:
            case {"type": "tool_use"}:
                self._calls += 1
                function = {"name": block.get("name"), "arguments": ""}
                call = {"index": self._calls, "id": block.get("id"), "type": "function", "function": function}
                return [self._chunks.delta({"tool_calls": [call]})]
            case {"type": "text", "text": str(text)} if text:
                return [self._chunks.delta({"content": text})]
            case {"type": "thinking", "thinking": str(thinking)} if thinking:
                self._pieces.append(thinking)
                return [self._chunks.delta({"reasoning_content": thinking})]
            case _:
                return []

    def _delta(self, delta: Mapping[str, Any]) -> list[Chunk]:
        match delta:
            case {"type": "text_delta", "text": str(text)}:
                return [self._chunks.delta({"content": text})]
            case {"type": "thinking_delta", "thinking": str(thinking)}:
                self._pieces.append(thinking)
                return [self._chunks.delta({"reasoning_content": thinking})]
            case {"type": "signature_delta", "signature": str(signature)}:
                self._signature += signature
                return []
            case {"type": "input_json_delta", "partial_json": str(piece)}:
                return self._arguments(piece) if piece else []
            case {"type": kind} if kind in _KNOWN_DELTAS:
                raise ProviderFailed(broken_reply(f"the provider's stream holds a {kind} that says nothing"))
            case _:
                return []

    def _block_ended(self) -> list[Chunk]:
        block, self._block = self._block, {}
        match block.get("type"):
            case "tool_use" if not self._pieces:
                return self._arguments(arguments_of(block))
            case "thinking":
                signature = self._signature or block.get("signature")
                return self._thought({**block, "thinking": "".join(self._pieces), "signature": signature})
            case "redacted_thinking":
                return self._thought(block)
            case _:
                return []

    def _arguments(self, piece: str) -> list[Chunk]:
        self._pieces.append(piece)
        call = {"index": self._calls, "function": {"arguments": piece}}
        return [self._chunks.delta({"tool_calls": [call]})]

    def _thought(self, block: Mapping[str, Any]) -> list[Chunk]:
        self._thoughts += 1
        # Clients that add deltas up want an index in each item of a list.
        return [self._chunks.delta({"thinking_blocks": [{"index": self._thoughts, **block}]})]

    def _finish(self, told: Mapping[str, Any]) -> list[Chunk]:
        if told.get("stop_reason") is None:
            return []
        self._finished = True
        why = refusal(told)
        delta = {} if why is None else {"refusal": why}
        return [self._chunks.delta(delta, finish_reason=finish_reason(told), stop_sequence=stop_sequence(told))]

    def _end(self) -> list[Chunk]:
        self._complete = True
        chunks = [] if self._finished else self._finish({"stop_reason": "end_turn"})
        usage = usage_of(self._usage)
        return chunks if usage is None else [*chunks, self._chunks.usage(usage, usage_shown(self._usage))]


def _object(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = told.get(name)
    if not isinstance(found, dict):
        raise ProviderFailed(broken_reply(f"the provider's stream holds an event without {name!r}"))
    return found


_conforms: type[StreamTranslation[bytes]] = AnthropicEvents
