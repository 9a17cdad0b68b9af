"""What the official client made of an answer, in few words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openai import APIStatusError, AsyncOpenAI
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.wires.wire import Said

USAGE = {"include_usage": True}


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, whole or put together.

    Attributes:
        calls: Name and arguments of each tool call.
        usage: Tokens in, out, and of those in the cached ones.
    """

    text: str
    reasoning: str
    calls: tuple[tuple[str, Mapping[str, object]], ...]
    finish: str
    usage: tuple[int, int, int]


def told_of(said: Said) -> Told:
    """What the client must make of that."""
    return Told(
        said.text,
        said.reasoning,
        tuple((call.name, call.arguments) for call in said.calls),
        "stop" if said.finish == "stop_sequence" else said.finish,
        (said.input_tokens, said.output_tokens, said.cached_tokens),
    )


async def ask(client: AsyncOpenAI, model: str, asked: Mapping[str, Any], *, streamed: bool) -> ChatCompletion:
    """The answer; a stream is put together by the client's own means, and must be well made."""
    create: Any = client.chat.completions.create  # its overloads do not see into a mapping
    if not streamed:
        whole: ChatCompletion = await create(model=model, **asked)
        assert whole.object == "chat.completion"
        return whole
    stream = await create(model=model, **asked, stream=True, stream_options=USAGE)
    return put_together([chunk async for chunk in stream])


async def error_of(client: AsyncOpenAI, model: str, asked: Mapping[str, Any]) -> APIStatusError | None:
    """The refusal of that; None where it is answered."""
    try:
        await ask(client, model, asked, streamed=False)
    except APIStatusError as error:
        return error
    return None


def put_together(chunks: list[ChatCompletionChunk]) -> ChatCompletion:
    """The whole answer in these chunks."""
    heads = {(chunk.id, chunk.object, chunk.created, chunk.model) for chunk in chunks}
    assert len(heads) == 1, heads
    state: ChatCompletionStreamState[Any] = ChatCompletionStreamState()
    for chunk in chunks:
        state.handle_chunk(chunk)
    finished = [bool(choice.finish_reason) for chunk in chunks for choice in chunk.choices]
    assert finished == [*[False] * (len(finished) - 1), True], "the last choice, and no other, has a finish reason"
    final = ChatCompletion.model_validate(state.current_completion_snapshot.model_dump())
    usages = [chunk.usage for chunk in chunks if chunk.usage is not None]
    assert len(usages) == 1, f"usage is told {len(usages)} times"
    assert chunks[-1].usage is not None
    final.usage = usages[0]
    return final


def told_by(reply: ChatCompletion) -> Told:
    """The answer in few words."""
    assert len(reply.choices) == 1
    message, finish = reply.choices[0].message, reply.choices[0].finish_reason
    assert message.role == "assistant"
    extra = message.model_extra or {}
    calls = [call.function for call in message.tool_calls or () if call.type == "function"]
    assert len(calls) == len(message.tool_calls or ())
    assert reply.usage is not None
    return Told(
        message.content or "",
        # Forwarded as its provider names it, where that speaks OpenAI's dialect.
        extra.get("reasoning_content") or extra.get("reasoning") or "",
        tuple((call.name, json.loads(call.arguments)) for call in calls),
        finish,
        _tokens(reply.usage),
    )


def ids_of(reply: ChatCompletion) -> list[str]:
    """Of the tool calls."""
    return [call.id for call in reply.choices[0].message.tool_calls or ()]


def _tokens(usage: CompletionUsage) -> tuple[int, int, int]:
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    details = usage.prompt_tokens_details
    return usage.prompt_tokens, usage.completion_tokens, (details.cached_tokens or 0) if details else 0
