"""Anthropic's events as chunks of a chat completion."""

import json
from collections.abc import Mapping
from typing import Any

from adapters.outbound.providers.anthropic.reply import finish_reason, usage_of
from adapters.outbound.providers.chat_documents import ChatChunks
from adapters.outbound.providers.failures import broken_reply, failure_inside_success
from domain.chat import Chunk, Usage
from domain.failure import ProviderFailed
from domain.redaction import Redactor


class AnthropicEvents:
    """One stream. Texts, thoughts and tool calls come in blocks, one after the other; tool calls are counted apart."""

    def __init__(self, chunks: ChatChunks, redactor: Redactor) -> None:
        self._chunks = chunks
        self._redactor = redactor
        self._usage: dict[str, Any] = {}
        self._calls = -1
        self._complete = False

    @property
    def is_complete(self) -> bool:
        """`message_stop` has come."""
        return self._complete

    def chunks(self, event: bytes) -> list[Chunk]:
        """What the event means. Unknown ones, and those that only keep the connection, mean nothing."""
        told = self._document(event)
        match told.get("type"):
            case "content_block_delta":
                return self._delta(_object(told, "delta"))
            case "content_block_start":
                return self._block(_object(told, "content_block"))
            case "message_start":
                self._usage |= _object(told, "message").get("usage") or {}
                return [self._chunks.role()]
            case "message_delta":
                # Its counts are those of the whole message.
                self._usage |= {name: count for name, count in (told.get("usage") or {}).items() if count is not None}
                reason = finish_reason(_object(told, "delta"))
                return [self._chunks.delta({}, finish_reason=reason)]
            case "message_stop":
                self._complete = True
                usage = usage_of(self._usage)
                return [] if usage is None else [self._chunks.usage(usage)]
            case "error":
                failure = failure_inside_success(told, self._redactor)
                raise ProviderFailed(failure or broken_reply("the provider's stream holds an error"))
            case _:
                return []

    @property
    def usage(self) -> Usage | None:
        """As far as it has been told."""
        return usage_of(self._usage)

    def _block(self, block: Mapping[str, Any]) -> list[Chunk]:
        match block.get("type"):
            case "tool_use":
                self._calls += 1
                function = {"name": block.get("name"), "arguments": ""}
                call = {"index": self._calls, "id": block.get("id"), "type": "function", "function": function}
                return [self._chunks.delta({"tool_calls": [call]})]
            case "text" if block.get("text"):
                return [self._chunks.delta({"content": block["text"]})]
            case _:
                return []

    def _delta(self, delta: Mapping[str, Any]) -> list[Chunk]:
        match delta.get("type"):
            case "text_delta":
                said: dict[str, object] = {"content": delta.get("text")}
            case "thinking_delta":
                said = {"reasoning_content": delta.get("thinking")}
            case "input_json_delta" if delta.get("partial_json"):
                function = {"arguments": delta["partial_json"]}
                said = {"tool_calls": [{"index": self._calls, "function": function}]}
            case _:
                return []
        return [self._chunks.delta(said)]

    def _document(self, event: bytes) -> Mapping[str, Any]:
        try:
            told = json.loads(event)
        except (ValueError, RecursionError) as error:
            raise ProviderFailed(broken_reply("the provider's stream holds an event that is not JSON")) from error
        if not isinstance(told, dict):
            raise ProviderFailed(broken_reply("the provider's stream holds an event that is no JSON object"))
        return told


def _object(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = told.get(name)
    if not isinstance(found, dict):
        raise ProviderFailed(broken_reply(f"the provider's stream holds an event without {name!r}"))
    return found
