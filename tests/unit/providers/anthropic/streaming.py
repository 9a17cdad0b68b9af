"""Streams told to the translation, and what a client puts together from the chunks."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from adapters.outbound.providers.anthropic.config import AnthropicConfig
from adapters.outbound.providers.anthropic.dialect import AnthropicDialect
from adapters.outbound.providers.chat_documents import ChatHead
from domain.chat import Chunk

HEAD = ChatHead("chatcmpl-1", 1_700_000_000, "mine")
DIALECT = AnthropicDialect(AnthropicConfig(api_key="sk-ant-our-own-key"))


def chunks_of(pieces: Iterable[bytes]) -> list[Chunk]:
    """The chunks of a stream that arrives in these pieces, and must be complete at its end."""
    parser, translation = DIALECT.parser(), DIALECT.translation(HEAD, usage_wanted=True)
    chunks: list[Chunk] = []
    for piece in pieces:
        for event in parser.feed(piece):
            assert not translation.is_complete
            chunks += translation.chunks(event)
    assert translation.is_complete
    return chunks


def told(*events: Mapping[str, object]) -> list[Chunk]:
    """The chunks of these events, whether complete or not."""
    translation = DIALECT.translation(HEAD, usage_wanted=True)
    return [chunk for event in events for chunk in translation.chunks(json.dumps(event).encode())]


def deltas(*events: Mapping[str, object]) -> list[dict[str, Any]]:
    return [choice["delta"] for chunk in told(*events) for choice in json.loads(chunk.data)["choices"]]


def put_together(chunks: Iterable[Chunk]) -> dict[str, Any]:
    """The whole completion, by the means of OpenAI's own client."""
    state: ChatCompletionStreamState[Any] = ChatCompletionStreamState()
    usage = None
    for chunk in chunks:
        document = json.loads(chunk.data)
        usage = document.get("usage") or usage
        state.handle_chunk(ChatCompletionChunk.model_validate(document))
    final = state.current_completion_snapshot.model_dump()
    (choice,) = final["choices"]
    return {"message": choice["message"], "finish_reason": choice["finish_reason"], "usage": usage}
