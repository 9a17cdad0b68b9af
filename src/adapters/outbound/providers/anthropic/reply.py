"""Anthropic's messages as chat completions."""

import json
from collections.abc import Iterable, Mapping, Sequence
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
_THOUGHTS: Final = ("thinking", "redacted_thinking")
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
    thoughts = [block for block in blocks if block.get("type") in _THOUGHTS]
    calls = [tool_call(block) for block in blocks if block.get("type") == "tool_use"]
    message: dict[str, object] = {
        "role": "assistant",
        "content": "".join(texts) if texts or not calls else None,
        "refusal": refusal(document),
    }
    if thoughts:
        message |= {"reasoning_content": _reasoning(thoughts), "thinking_blocks": thoughts}
    if calls:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason(document)}
    sequence = stop_sequence(document)
    return choice if sequence is None else choice | {"stop_sequence": sequence}


def finish_reason(told: Mapping[str, Any]) -> str:
    """Why it ended, in OpenAI's words. One that is not known ended by itself."""
    reason = told.get("stop_reason")
    return FINISH_REASONS.get(reason, "stop") if isinstance(reason, str) else "stop"


def stop_sequence(told: Mapping[str, Any]) -> str | None:
    """Which of the client's sequences ended it."""
    sequence = told.get("stop_sequence")
    return sequence if isinstance(sequence, str) else None


def refusal(told: Mapping[str, Any]) -> str | None:
    """Why the model's keepers ended it, where they say so."""
    details = told.get("stop_details")
    explanation = details.get("explanation") if isinstance(details, dict) else None
    return explanation if isinstance(explanation, str) and told.get("stop_reason") == "refusal" else None


def usage_of(told: object) -> Usage | None:
    """Anthropic's `usage`: tokens read from its cache and written to it stand beside `input_tokens`, not in it."""
    if not isinstance(told, Mapping) or told.get("input_tokens") is None:
        return None
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    fresh, written, cached = (_tokens(told.get(name)) for name in names)
    return Usage(fresh + written + cached, _tokens(told.get("output_tokens")), cached)


def usage_shown(told: object) -> dict[str, object] | None:
    """The same as OpenAI writes it, with what was written to the cache and what was thought."""
    usage = usage_of(told)
    if usage is None or not isinstance(told, Mapping):
        return None
    details = told.get("output_tokens_details")
    thought = details.get("thinking_tokens") if isinstance(details, Mapping) else None
    document = usage_document(usage, reasoning_tokens=None if thought is None else _tokens(thought))
    if written := _tokens(told.get("cache_creation_input_tokens")):
        cached = usage.cached_input_tokens
        document["prompt_tokens_details"] = {"cached_tokens": cached, "cache_creation_tokens": written}
    return document


def tool_call(block: Mapping[str, Any]) -> dict[str, object]:
    """A `tool_use` block as OpenAI writes it."""
    return {
        "id": block.get("id"),
        "type": "function",
        "function": {"name": block.get("name"), "arguments": arguments_of(block)},
    }


def arguments_of(block: Mapping[str, Any]) -> str:
    """A tool's input as the JSON text that OpenAI has in its place."""
    return json.dumps(block.get("input") or {}, ensure_ascii=False, separators=(",", ":"))


def _reasoning(thoughts: Sequence[Mapping[str, Any]]) -> str:
    told: Iterable[object] = (thought.get("thinking") for thought in thoughts)
    return "".join(text for text in told if isinstance(text, str))


def _tokens(value: object) -> int:
    return value if type(value) is int and 0 <= value <= _MAX_TOKENS else 0
