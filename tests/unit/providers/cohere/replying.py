"""What Cohere answers, whole and as a stream, and what the client sees of it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from adapters.outbound.providers.chat_documents import ChatHead
from adapters.outbound.providers.cohere.reply import completion
from adapters.outbound.providers.cohere.stream import CohereTranslation
from adapters.outbound.providers.sse import SseParser
from domain.chat import Chunk, Usage
from domain.redaction import Redactor
from tests.wires import cohere_reply
from tests.wires.wire import Said

HEAD = ChatHead("chatcmpl-1", 1_700_000_000, "mine")
REDACTOR = Redactor(("the-secret-key",))


def whole(document: Mapping[str, Any]) -> tuple[dict[str, Any], Usage | None]:
    """The only choice, and the usage."""
    reply, usage = completion(document, HEAD, REDACTOR)
    (choice,) = cast("list[dict[str, Any]]", reply["choices"])
    return choice, usage


def answered(said: Said) -> tuple[dict[str, Any], Usage | None]:
    """The same of what is said."""
    return whole(cohere_reply.whole(said))


def chunks(events: Iterable[Mapping[str, Any]], *, usage_wanted: bool = True) -> list[Chunk]:
    """All chunks of a stream of these events."""
    return translated([cohere_reply.sse(event) for event in events], usage_wanted=usage_wanted)


def translated(reads: Iterable[bytes], *, usage_wanted: bool = True) -> list[Chunk]:
    """All chunks of a stream that arrives in these pieces, which must complete it."""
    parser, translation = SseParser(), CohereTranslation(HEAD, REDACTOR, usage_wanted=usage_wanted)
    made = [chunk for read in reads for event in parser.feed(read) for chunk in translation.chunks(event)]
    assert translation.is_complete
    return made


def rebuilt(made: Iterable[Chunk]) -> tuple[dict[str, Any], Usage | None]:
    """The choice and the usage that the chunks add up to."""
    message: dict[str, Any] = {"refusal": None}
    logprobs: list[Any] = []
    finish, usage = None, None
    for chunk in made:
        usage = chunk.usage or usage
        for choice in json.loads(chunk.data)["choices"]:
            _add(message, choice["delta"])
            finish = choice["finish_reason"] or finish
            logprobs += (choice["logprobs"] or {}).get("content", ())
    if message.get("tool_calls") and not message["content"]:
        message["content"] = None
    told = {"content": logprobs, "refusal": None} if logprobs else None
    return {"index": 0, "message": message, "logprobs": told, "finish_reason": finish}, usage


def _add(message: dict[str, Any], delta: Mapping[str, Any]) -> None:
    for name, value in delta.items():
        match name:
            case "role":
                message["role"] = value
            case "tool_calls":
                _add_calls(message.setdefault("tool_calls", []), value)
            case "citations":
                message.setdefault("citations", []).extend(value)
            case _:
                message[name] = message.get(name, "") + value


def _add_calls(calls: list[dict[str, Any]], deltas: Iterable[dict[str, Any]]) -> None:
    for delta in deltas:
        index = delta.pop("index")
        if index == len(calls):
            calls.append(delta)
        else:
            calls[index]["function"]["arguments"] += delta["function"]["arguments"]
