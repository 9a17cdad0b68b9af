"""Converse's replies as chat completions."""

import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from adapters.outbound.providers.chat_documents import ChatHead, usage_document
from adapters.outbound.providers.failures import broken_reply
from domain.chat import Usage
from domain.failure import ProviderFailed

FINISH_REASONS: Final = MappingProxyType(
    {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "tool_use": "tool_calls",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "guardrail_intervened": "content_filter",
        "content_filtered": "content_filter",
    }
)
_MALFORMED: Final = ("malformed_model_output", "malformed_tool_use")
_MAX_TOKENS: Final = 2**53


class Ending(NamedTuple):
    """Why a reply ended, in OpenAI's words, and the stop sequence that ended it, where the model tells it."""

    finish_reason: str
    stop_sequence: str | None = None


def completion(document: Mapping[str, Any], head: ChatHead) -> tuple[dict[str, object], Usage | None]:
    """The chat completion in a reply, and what it cost.

    Raises:
        ProviderFailed: It is no reply of Converse, or the model made a mess.
    """
    match document.get("output"):
        case {"message": {"content": [*blocks]}} if all(isinstance(block, dict) for block in blocks):
            ending = ending_of(document)
            choice: dict[str, object] = {
                "index": 0,
                "message": _message(blocks),
                "logprobs": None,
                "finish_reason": ending.finish_reason,
            }
            if ending.stop_sequence is not None:
                choice["stop_sequence"] = ending.stop_sequence
        case _:
            raise ProviderFailed(broken_reply("the provider's reply has no list of content blocks"))
    usage, shown = usage_of(document.get("usage"))
    return head.whole([choice], shown), usage


def ending_of(told: Mapping[str, Any]) -> Ending:
    """Why it ended. A reason that is not known is `stop`.

    Raises:
        ProviderFailed: The model's output could not be read.
    """
    reason = told.get("stopReason")
    if reason in _MALFORMED:
        raise ProviderFailed(broken_reply(f"the model's output was broken ({reason})"))
    match told.get("additionalModelResponseFields"):
        case {"stop_sequence": str(sequence)} if reason == "stop_sequence":
            return Ending("stop", sequence)
        case _:
            return Ending(FINISH_REASONS.get(str(reason), "stop"))


def usage_of(told: object) -> tuple[Usage, dict[str, object]] | tuple[None, None]:
    """The usage, and as OpenAI writes it. Tokens read from the cache or written to it stand beside `inputTokens`."""
    if not isinstance(told, Mapping) or told.get("inputTokens") is None:
        return None, None
    cached, written = _tokens(told.get("cacheReadInputTokens")), _tokens(told.get("cacheWriteInputTokens"))
    usage = Usage(_tokens(told["inputTokens"]) + cached + written, _tokens(told.get("outputTokens")), cached)
    shown = usage_document(usage)
    if "cacheWriteInputTokens" in told:
        shown["prompt_tokens_details"] = {"cached_tokens": cached, "cache_creation_tokens": written}
    return usage, shown


def thinking_block(text: str, signature: str) -> dict[str, str]:
    """A thought as Anthropic writes it, to be sent back with the conversation."""
    return {"type": "thinking", "thinking": text, "signature": signature}


def redacted_block(data: str) -> dict[str, str]:
    """A thought that only the model can read."""
    return {"type": "redacted_thinking", "data": data}


def _message(blocks: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    texts = [text for block in blocks for text in _texts(block)]
    calls = [_tool_call(block["toolUse"]) for block in blocks if isinstance(block.get("toolUse"), dict)]
    thoughts = [thought for block in blocks for thought in _thoughts(block.get("reasoningContent"))]
    message: dict[str, object] = {
        "role": "assistant",
        "content": "".join(texts) if texts or not calls else None,
        "refusal": None,
    }
    if thoughts:
        said = "".join(thought.get("thinking", "") for thought in thoughts)
        message |= {"reasoning_content": said} if said else {}
        message["thinking_blocks"] = thoughts
    if calls:
        message["tool_calls"] = calls
    return message


def _texts(block: Mapping[str, Any]) -> Iterator[str]:
    match block:
        case {"text": str(text)}:
            yield text
        case {"citationsContent": {"content": [*pieces]}}:
            yield from (
                piece["text"] for piece in pieces if isinstance(piece, dict) and isinstance(piece.get("text"), str)
            )


def _thoughts(content: object) -> Iterator[dict[str, str]]:
    match content:
        case {"reasoningText": {"text": str(text), **more}}:
            yield thinking_block(text, str(more.get("signature") or ""))
        case {"redactedContent": str(data)}:
            yield redacted_block(data)


def _tool_call(use: Mapping[str, Any]) -> dict[str, object]:
    arguments = json.dumps(use.get("input") or {}, ensure_ascii=False, separators=(",", ":"))
    function = {"name": use.get("name"), "arguments": arguments}
    return {"id": use.get("toolUseId"), "type": "function", "function": function}


def _tokens(value: object) -> int:
    return value if type(value) is int and 0 <= value <= _MAX_TOKENS else 0
