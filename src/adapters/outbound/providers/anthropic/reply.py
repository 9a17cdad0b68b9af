"""Anthropic's messages as chat completions."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from adapters.outbound.providers.chat_documents import usage_document
from adapters.outbound.providers.failures import broken_reply
from domain.chat import Usage
from domain.failure import ProviderFailed

FINISH_REASONS: Final = MappingProxyType(
    {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "pause_turn": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "tool_use": "tool_calls",
        "refusal": "content_filter",
    }
)
_MAX_TOKENS: Final = 2**53


def choice_of(document: Mapping[str, Any]) -> dict[str, object]:
    """The one choice of a message.

    Raises:
        ProviderFailed: It is no message.
    """
    blocks = document.get("content")
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise ProviderFailed(broken_reply("the provider's reply has no list of content blocks"))
    texts = [block["text"] for block in blocks if block.get("type") == "text" and isinstance(block.get("text"), str)]
    thoughts = [block for block in blocks if block.get("type") in {"thinking", "redacted_thinking"}]
    calls = [_tool_call(block) for block in blocks if block.get("type") == "tool_use"]
    message: dict[str, object] = {
        "role": "assistant",
        "content": "".join(texts) if texts or not calls else None,
        "refusal": None,
    }
    if thoughts:
        message |= {"reasoning_content": _reasoning(thoughts), "thinking_blocks": thoughts}
    if calls:
        message["tool_calls"] = calls
    return {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason(document)}


def finish_reason(told: Mapping[str, Any]) -> str:
    """Why it ended, in OpenAI's words. One that is not known ended by itself."""
    return FINISH_REASONS.get(told.get("stop_reason") or "", "stop")


def usage_of(told: object) -> Usage | None:
    """Anthropic's `usage`: tokens read from its cache and written to it stand beside `input_tokens`, not in it."""
    if not isinstance(told, Mapping):
        return None
    parts = [_tokens(told.get(name)) for name in ("input_tokens", "cache_creation_input_tokens")]
    cached, output = _tokens(told.get("cache_read_input_tokens")), _tokens(told.get("output_tokens"))
    if told.get("input_tokens") is None:
        return None
    return Usage(sum(parts) + cached, output, cached)


def usage_shown(usage: Usage | None) -> dict[str, object] | None:
    """As OpenAI writes it."""
    return None if usage is None else usage_document(usage)


def _reasoning(thoughts: Sequence[Mapping[str, Any]]) -> str:
    return "".join(thought["thinking"] for thought in thoughts if isinstance(thought.get("thinking"), str))


def _tool_call(block: Mapping[str, Any]) -> dict[str, object]:
    arguments = json.dumps(block.get("input") or {}, ensure_ascii=False, separators=(",", ":"))
    return {
        "id": block.get("id"),
        "type": "function",
        "function": {"name": block.get("name"), "arguments": arguments},
    }


def _tokens(value: object) -> int:
    return value if type(value) is int and 0 <= value <= _MAX_TOKENS else 0
