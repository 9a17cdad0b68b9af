"""The stream that says the same as a whole reply, so that one kept reply answers both kinds of request."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Final, TypeGuard

from application.replies.choice_parts import LOGPROB_LISTS
from application.replies.members import Members
from application.replies.message_parts import TEXTS
from application.replies.messages.replay import message_chunks
from application.replies.reply_json import parse, to_json
from application.replies.whole_reply import choices_of
from domain.chat import Chunk, Endpoint, Usage

PIECE_CHARACTERS: Final = 1024
"""No chunk carries more of a text. A word a chunk would cost the gateway and the client more than it is worth."""

_LOGPROBS_EACH: Final = 64
_BATCH_BYTES: Final = 32_768
_REPEATED: Final = ("id", "created", "model", "system_fingerprint", "service_tier")
_NOT_TOLD: Final = frozenset({*_REPEATED, "object", "choices", "usage"})
_CHUNK_OBJECTS: Final = {Endpoint.CHAT: "chat.completion.chunk", Endpoint.COMPLETIONS: "text_completion"}
_NOT_AT_THE_END: Final = frozenset({"index", "message", "text", "logprobs", "finish_reason"})


def replay(endpoint: Endpoint, body: bytes, usage: Usage | None, *, include_usage: bool) -> list[tuple[Chunk, ...]]:
    """The chunks, in batches for one write each.

    Every choice is opened before any is finished, so that a replay that breaks off never looks complete. The chunk
    for usage is there only where the body tells usage; `usage` goes with it.

    Raises:
        ValueError: `body` is no whole reply with choices.
    """
    document = parse(body)
    if document.get("error") is not None:
        raise ValueError("expected a reply, found an error")
    if endpoint is Endpoint.MESSAGES:
        return _batches(message_chunks(document, usage, PIECE_CHARACTERS))
    choices = choices_of(endpoint, document)
    told = document.get("usage") if include_usage else None
    chunks = _chunks(endpoint, document, choices, with_usage=told is not None)
    if told is not None:
        head = _head(endpoint, document)
        chunks = [*chunks, Chunk(to_json({**head, "choices": [], "usage": told}), content=False, usage=usage)]
    return _batches(chunks)


def _chunks(endpoint: Endpoint, document: Members, choices: list[Members], *, with_usage: bool) -> list[Chunk]:
    parts = _chat_parts(choices) if endpoint is Endpoint.CHAT else _text_parts(choices)
    head = _head(endpoint, document)
    # What is told once comes with the first chunk.
    before = to_json({**head, **{name: value for name, value in document.items() if name not in _NOT_TOLD}})
    after = b'],"usage":null}' if with_usage else b"]}"
    chunks = []
    for part in parts:
        chunks.append(Chunk(b'%b,"choices":[%b%b' % (before[:-1], to_json(part), after), content=_has_output(part)))
        if len(chunks) == 1:
            before = to_json(head)
    return chunks


def _head(endpoint: Endpoint, document: Members) -> Members:
    head: Members = {"object": _CHUNK_OBJECTS[endpoint]}
    return head | {name: document[name] for name in _REPEATED if name in document}


def _chat_parts(choices: list[Members]) -> Iterator[Members]:
    messages = [_message_of(choice) for choice in choices]
    for choice, message in zip(choices, messages, strict=True):
        yield _part(choice, {"delta": _opening_delta(message)})
    for choice, message in zip(choices, messages, strict=True):
        for delta, logprobs in zip_longest(_deltas(message), _logprob_slices(choice)):
            yield _part(choice, {"delta": delta or {}}, logprobs=logprobs)
        yield _last_part(choice, {"delta": {}})


def _text_parts(choices: list[Members]) -> Iterator[Members]:
    for choice in choices:
        yield _part(choice, {"text": ""})
    for choice in choices:
        for text, logprobs in zip_longest(_pieces(choice["text"]), _logprob_slices(choice)):
            yield _part(choice, {"text": text or ""}, logprobs=logprobs)
        yield _last_part(choice, {"text": ""})


def _part(choice: Members, output: Members, *, logprobs: object = None) -> Members:
    part = {"index": choice["index"], **output}
    if "logprobs" in choice:
        part["logprobs"] = logprobs
    return {**part, "finish_reason": None}


def _last_part(choice: Members, output: Members) -> Members:
    others = {name: value for name, value in choice.items() if name not in _NOT_AT_THE_END}
    return {**_part(choice, output), "finish_reason": choice["finish_reason"], **others}


def _message_of(choice: Members) -> Members:
    message = choice["message"]
    return message if isinstance(message, dict) else {}


def _opening_delta(message: Members) -> Members:
    """The role, and all of the message that has no pieces."""
    delta: Members = {"role": "assistant"}
    for name, value in message.items():
        if name in TEXTS and isinstance(value, str):
            delta[name] = ""
        elif not (_calls(message) if name == "tool_calls" else name == "function_call" and _has_arguments(value)):
            delta[name] = value
    return delta


def _deltas(message: Members) -> Iterator[Members]:
    for name in TEXTS:
        for piece in _pieces(message.get(name)):
            yield {name: piece}
    for index, call in enumerate(_calls(message)):
        function = call.get("function")
        if not _has_arguments(function):
            yield {"tool_calls": [{**call, "index": index}]}
            continue
        first, *more = _function_deltas(function)
        yield {"tool_calls": [{**call, "index": index, "function": first}]}
        for delta in more:
            yield {"tool_calls": [{"index": index, "function": delta}]}
    function = message.get("function_call")
    if _has_arguments(function):
        for delta in _function_deltas(function):
            yield {"function_call": delta}


def _calls(message: Members) -> list[Members]:
    """The tool calls; none where they have not the shape of any."""
    calls = message.get("tool_calls")
    return calls if isinstance(calls, list) and all(isinstance(call, dict) for call in calls) else []


def _has_arguments(function: object) -> TypeGuard[Members]:
    return isinstance(function, dict) and isinstance(function.get("arguments"), str)


def _function_deltas(function: Members) -> Iterator[Members]:
    pieces = _pieces(function["arguments"])
    yield {**function, "arguments": pieces[0] if pieces else ""}
    for piece in pieces[1:]:
        yield {"arguments": piece}


def _pieces(text: object) -> list[str]:
    if not isinstance(text, str):
        return []
    return [text[start : start + PIECE_CHARACTERS] for start in range(0, len(text), PIECE_CHARACTERS)]


def _logprob_slices(choice: Members) -> list[object]:
    logprobs = choice.get("logprobs")
    if not isinstance(logprobs, dict):
        return [] if logprobs is None else [logprobs]
    lists = {name: value for name, value in logprobs.items() if name in LOGPROB_LISTS and isinstance(value, list)}
    longest = max(map(len, lists.values()), default=0)
    slices = [
        {name: value[start : start + _LOGPROBS_EACH] for name, value in lists.items()}
        for start in range(0, longest, _LOGPROBS_EACH)
    ]
    others = {name: value for name, value in logprobs.items() if name not in lists}
    return [{**(slices[0] if slices else lists), **others}, *slices[1:]]


def _has_output(part: Members) -> bool:
    delta = part.get("delta")
    if isinstance(delta, dict) and any(value for name, value in delta.items() if name != "role"):
        return True
    return bool(part["finish_reason"] or part.get("text"))


def _batches(chunks: list[Chunk]) -> list[tuple[Chunk, ...]]:
    batches: list[tuple[Chunk, ...]] = []
    batch: list[Chunk] = []
    size = 0
    for chunk in chunks:
        if batch and size + len(chunk.data) > _BATCH_BYTES:
            batches.append(tuple(batch))
            batch, size = [], 0
        batch.append(chunk)
        size += len(chunk.data)
    return [*batches, tuple(batch)]
