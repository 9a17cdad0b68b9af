"""What OpenAI's chat answers look like, judged by the models of its official SDK."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.wires.wire import Said, ToolCall

_ID = "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT"
_CREATED_S = 1_741_569_952


def whole(said: Said, model: str, *, reasoning_field: str = "reasoning_content") -> dict[str, Any]:
    """The answer in one piece."""
    message: dict[str, Any] = {"role": "assistant", "content": said.text or None, "refusal": None, "annotations": []}
    if said.reasoning:
        message[reasoning_field] = said.reasoning
    if said.calls:
        message["tool_calls"] = [_call(call) for call in said.calls]
    document = {
        "id": _ID,
        "object": "chat.completion",
        "created": _CREATED_S,
        "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason(said)}],
        "usage": usage(said),
        "service_tier": "default",
    }
    ChatCompletion.model_validate(document)
    return document


def chunks(said: Said, model: str, *, reasoning_field: str = "reasoning_content") -> list[dict[str, Any]]:
    """The same as a stream, whose usage stands in a chunk of its own."""
    deltas = [{"role": "assistant", "content": "", "refusal": None}, *_deltas(said, reasoning_field)]
    choices: list[Sequence[Mapping[str, Any]]] = [[_choice(delta)] for delta in deltas]
    choices.append([_choice({}, finish_reason(said))])
    head = {"id": _ID, "object": "chat.completion.chunk", "created": _CREATED_S, "model": model}
    documents = [head | {"choices": each, "usage": None} for each in choices]
    documents.append(head | {"choices": [], "usage": usage(said)})
    for document in documents:
        ChatCompletionChunk.model_validate(document)
    return documents


def events(documents: Sequence[Mapping[str, Any]]) -> tuple[bytes, ...]:
    """Server-sent events, with their terminator."""
    return (*(b"data: " + body(document) + b"\n\n" for document in documents), b"data: [DONE]\n\n")


def body(document: Mapping[str, Any]) -> bytes:
    """As OpenAI writes it: UTF-8, nothing escaped."""
    return json.dumps(document, ensure_ascii=False).encode()


def halves(text: str) -> tuple[str, ...]:
    """The text in two pieces, or in none."""
    middle = (len(text) + 1) // 2
    return tuple(piece for piece in (text[:middle], text[middle:]) if piece)


def usage(said: Said) -> dict[str, Any]:
    """With the cached tokens among the prompt's."""
    return {
        "prompt_tokens": said.input_tokens,
        "completion_tokens": said.output_tokens,
        "total_tokens": said.input_tokens + said.output_tokens,
        "prompt_tokens_details": {"cached_tokens": said.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def finish_reason(said: Said) -> str:
    """A stop sequence is not told from the end of the answer."""
    return "stop" if said.finish == "stop_sequence" else said.finish


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": json.dumps(call.arguments)}}


def _deltas(said: Said, reasoning_field: str) -> Iterator[dict[str, Any]]:
    yield from ({reasoning_field: piece} for piece in halves(said.reasoning))
    yield from ({"content": piece} for piece in halves(said.text))
    for index, call in enumerate(said.calls):
        begun = _call(call)
        begun["function"]["arguments"] = ""
        yield {"tool_calls": [{"index": index, **begun}]}
        for piece in halves(json.dumps(call.arguments)):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _choice(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
