"""Cohere's whole replies as chat completions.

Source: Cohere's API reference, "Chat" (v2).
"""

from collections.abc import Mapping
from typing import Any

from adapters.outbound.providers.chat_documents import ChatHead, usage_document
from adapters.outbound.providers.cohere.failures import check_finish
from adapters.outbound.providers.cohere.logprobs import openai_logprobs
from adapters.outbound.providers.cohere.usage import usage_of
from adapters.outbound.providers.cohere.words import FINISH_REASONS
from adapters.outbound.providers.dialect import Fields
from adapters.outbound.providers.failures import broken_reply
from domain.chat import Usage
from domain.failure import ProviderFailed
from domain.redaction import Redactor


def completion(document: Fields, head: ChatHead, redactor: Redactor) -> tuple[dict[str, object], Usage | None]:
    """The chat completion in a reply.

    Raises:
        ProviderFailed: The answer broke off, or it is none.
    """
    said = document.get("message")
    if not isinstance(said, Mapping):
        raise ProviderFailed(broken_reply("the provider's reply has no message"))
    reason = document.get("finish_reason")
    check_finish(reason, document.get("error"), redactor)
    choice = {
        "index": 0,
        "message": _message(said),
        "logprobs": openai_logprobs(document.get("logprobs")),
        "finish_reason": finish_reason(reason),
    }
    usage = usage_of(document.get("usage"))
    return head.whole([choice], None if usage is None else usage_document(usage)), usage


def finish_reason(reason: object) -> str:
    """OpenAI's word for it."""
    return FINISH_REASONS.get(reason, "stop") if isinstance(reason, str) else "stop"


def _message(said: Fields) -> dict[str, Any]:
    told = said.get("tool_calls")
    calls = [called(call, "{}") for call in told] if isinstance(told, list) else []
    texts, thoughts = _content(said.get("content"))
    text = "".join(texts)
    message: dict[str, Any] = {"role": "assistant", "content": text or (None if calls else ""), "refusal": None}
    plan = said.get("tool_plan")
    reasoning = "".join(thoughts) + (plan if isinstance(plan, str) else "")
    if reasoning:
        message["reasoning_content"] = reasoning
    if calls:
        message["tool_calls"] = calls
    if said.get("citations"):
        message["citations"] = said["citations"]
    return message


def _content(blocks: object) -> tuple[list[str], list[str]]:
    texts: list[str] = []
    thoughts: list[str] = []
    for block in blocks if isinstance(blocks, list) else ():
        match block:
            case {"type": "text", "text": str(text)}:
                texts.append(text)
            case {"type": "thinking", "thinking": str(thought)}:
                thoughts.append(thought)
    return texts, thoughts


def called(call: object, arguments: str) -> dict[str, Any]:
    """A tool call as OpenAI writes it. `arguments`: where it has none.

    Raises:
        ProviderFailed: It is none.
    """
    match call:
        case {"id": str(name), "function": {"name": str(function), **rest}}:
            named = {"name": function, "arguments": rest.get("arguments") or arguments}
            return {"id": name, "type": "function", "function": named}
        case _:
            raise ProviderFailed(broken_reply("the provider's reply has a tool call that is none"))
