"""What a stream of Bedrock came to, put together as clients do."""

import json
from collections.abc import Iterable
from typing import Any

from adapters.outbound.providers.bedrock.frames import EventFrames
from adapters.outbound.providers.bedrock.stream import ConverseEvents
from adapters.outbound.providers.chat_documents import ChatChunks, ChatHead
from domain.chat import Chunk
from domain.redaction import Redactor

HEAD = ChatHead("chatcmpl-1", 1, "mine")


def chunks_of(reads: Iterable[bytes], *, ends: bool = False) -> tuple[list[Chunk], bool]:
    """The chunks of a stream that arrives in these reads, and whether it was complete."""
    frames, events = EventFrames(), ConverseEvents(ChatChunks(HEAD, usage_wanted=True), Redactor())
    chunks = [chunk for read in reads for frame in frames.feed(read) for chunk in events.chunks(frame)]
    if ends:
        chunks += [chunk for frame in frames.finish() for chunk in events.chunks(frame)]
    return chunks, events.is_complete


def put_together(chunks: Iterable[Chunk]) -> dict[str, Any]:
    """The message, the ending and the usage that the chunks tell."""
    message: dict[str, Any] = {}
    whole: dict[str, Any] = {"message": message}
    for chunk in chunks:
        document = json.loads(chunk.data)
        assert (document["id"], document["object"], document["model"]) == (HEAD.id, "chat.completion.chunk", HEAD.model)
        if document.get("usage"):
            whole["usage"] = document["usage"]
        for choice in document["choices"]:
            _add(choice["delta"], message)
            whole |= {key: choice[key] for key in ("finish_reason", "stop_sequence") if choice.get(key)}
    return whole


def _add(delta: dict[str, Any], message: dict[str, Any]) -> None:
    for name in ("content", "reasoning_content"):
        if name in delta:
            message[name] = message.get(name, "") + delta[name]
    for block in delta.get("thinking_blocks", ()):
        assert block.pop("index") == len(message.setdefault("thinking_blocks", []))
        message["thinking_blocks"].append(block)
    for call in delta.get("tool_calls", ()):
        calls = message.setdefault("tool_calls", [])
        if call["index"] == len(calls):
            calls.append({"id": call["id"], "type": call["type"], "function": {"name": call["function"]["name"]}})
        function = calls[call["index"]]["function"]
        function["arguments"] = function.get("arguments", "") + call["function"]["arguments"]
