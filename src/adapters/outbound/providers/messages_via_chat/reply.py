"""A chat completion as a message."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from adapters.outbound.providers.chat_calls import call_id_of, function_in, objects_in
from adapters.outbound.providers.chat_content import text_in, thought_in
from adapters.outbound.providers.failures import broken_reply
from application.ports.provider import Call
from domain.chat import Usage
from domain.failure import ProviderFailed
from domain.pricing import estimate_tokens

Fields = Mapping[str, Any]
Block = dict[str, Any]

STOP_REASONS: Final = MappingProxyType(
    {
        "stop": "end_turn",
        "length": "max_tokens",
        "tool_calls": "tool_use",
        "function_call": "tool_use",
        "content_filter": "refusal",
    }
)


def message(completion: Fields, call: Call) -> dict[str, object]:
    """The message.

    Raises:
        ProviderFailed: There is no choice in it.
    """
    match completion.get("choices"):
        case [{"message": dict(told)} as choice, *_]:
            pass
        case _:
            raise ProviderFailed(broken_reply("the provider's reply has no choice with a message"))
    calls = [
        tool_use({**one, "id": call_id_of(one, call, number)})
        for number, one in enumerate(objects_in(told.get("tool_calls")))
    ]
    content = [*thoughts_of(told), *_texts_of(told), *calls]
    refusal = told.get("refusal")
    ending = ending_of(choice, call, has_calls=bool(calls), refusal=refusal)
    usage = usage_of(completion.get("usage")) or guessed_usage(call, content)
    return {**head(call), "content": content, **ending, "usage": usage}


def head(call: Call) -> dict[str, object]:
    """What a message begins with."""
    return {
        "type": "message",
        "id": "msg_" + call.request_id.replace("-", ""),
        "role": "assistant",
        "model": call.reply_model,
    }


def thoughts_of(told: Fields) -> list[Block]:
    """The signed blocks where there are any, else the text in one that nobody has signed."""
    blocks = told.get("thinking_blocks")
    if isinstance(blocks, list) and blocks:
        return [plain_thought(block) for block in blocks if isinstance(block, dict)]
    text = thought_in(told)
    return [{"type": "thinking", "thinking": text, "signature": ""}] if text else []


def plain_thought(block: Fields) -> Block:
    """As Anthropic writes it: without the index that pieces of a list carry."""
    if block.get("type") == "redacted_thinking":
        return {"type": "redacted_thinking", "data": block.get("data") or ""}
    return {
        "type": "thinking",
        "thinking": block.get("thinking") or "",
        "signature": block.get("signature") or "",
    }


def tool_use(call: Fields) -> Block:
    """A call's block. What a model wrote that is no JSON object stands in one, as Anthropic advises."""
    function = function_in(call)
    block: Block = {
        "type": "tool_use",
        "id": call.get("id") or "",
        "name": function.get("name") or "",
        "input": _input(function.get("arguments")),
    }
    return block | {"extra_content": call["extra_content"]} if call.get("extra_content") else block


def ending_of(choice: Fields, call: Call, *, has_calls: bool, refusal: object) -> dict[str, object]:
    """`stop_reason`, `stop_sequence` and `stop_details`. Some servers say `stop` where they mean their calls."""
    finish = choice.get("finish_reason")
    reason = STOP_REASONS.get(finish, "end_turn") if isinstance(finish, str) else "end_turn"
    sequence = _sequence_of(choice, call)
    if has_calls and reason == "end_turn":
        reason = "tool_use"
    elif isinstance(refusal, str) and refusal:
        reason = "refusal"
    elif sequence is not None and reason == "end_turn":
        reason = "stop_sequence"
    explained = reason == "refusal" and isinstance(refusal, str) and refusal
    details = {"type": "refusal", "category": None, "explanation": refusal} if explained else None
    return {
        "stop_reason": reason,
        "stop_sequence": sequence if reason == "stop_sequence" else None,
        "stop_details": details,
    }


def usage_of(told: object) -> dict[str, object] | None:
    """OpenAI's usage as Anthropic counts it: what came from its cache, or went to it, stands apart."""
    if not isinstance(told, Mapping) or type(told.get("prompt_tokens")) is not int:
        return None
    prompt, details = told["prompt_tokens"], told.get("prompt_tokens_details")
    cached = min(_count(details, "cached_tokens"), prompt)
    written = min(_count(details, "cache_creation_tokens"), prompt - cached)
    usage: dict[str, object] = {
        "input_tokens": prompt - cached - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": cached,
        "output_tokens": _count(told, "completion_tokens"),
    }
    thought = _count(told.get("completion_tokens_details"), "reasoning_tokens")
    return usage | {"output_tokens_details": {"thinking_tokens": thought}} if thought else usage


def usage_shown(usage: Usage) -> dict[str, object]:
    """The same of counts that are known without a document."""
    return {
        "input_tokens": usage.input_tokens - usage.cached_input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_input_tokens,
        "output_tokens": usage.output_tokens,
    }


def guessed_usage(call: Call, content: list[Block]) -> dict[str, object]:
    """Where nobody told it: a message must say something."""
    written = sum(len(json.dumps(value)) for block in content for name, value in block.items() if name in _WRITTEN)
    return usage_shown(Usage(call.request.input_tokens, estimate_tokens(written)))


_WRITTEN: Final = frozenset({"text", "thinking", "input"})


def _texts_of(told: Fields) -> list[Block]:
    refusal = told.get("refusal")
    said = text_in(told) + (refusal if isinstance(refusal, str) else "")
    return [{"type": "text", "text": said}] if said else []


def _input(arguments: object) -> object:
    if not isinstance(arguments, str) or not arguments.strip():
        return {}
    try:
        given = json.loads(arguments)
    except (ValueError, RecursionError):
        given = None
    return given if isinstance(given, dict) else {"INVALID_JSON": arguments}


def _sequence_of(choice: Fields, call: Call) -> str | None:
    """Which of the client's sequences ended it: in `stop_sequence`, or in vLLM's `stop_reason`."""
    if isinstance(told := choice.get("stop_sequence"), str):
        return told
    known, told = call.request.fields.get("stop_sequences"), choice.get("stop_reason")
    return told if isinstance(known, list) and isinstance(told, str) and told in known else None


def _count(told: object, name: str) -> int:
    value = told.get(name) if isinstance(told, Mapping) else None
    return value if type(value) is int and value > 0 else 0
