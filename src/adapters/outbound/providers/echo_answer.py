"""One answer of the echo, whole or in chunks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

from adapters.outbound.providers.echo_replies import (
    characters_allowed,
    forced_function,
    spoken_texts,
    usage,
    usage_document,
    words,
)
from adapters.outbound.providers.request_body import serialised
from application.ports.provider import Call
from domain.chat import Chunk, Endpoint, Usage
from domain.durations import SECOND_US

_ID_PREFIX: Final = {Endpoint.CHAT: "chatcmpl-", Endpoint.COMPLETIONS: "cmpl-"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the echo says to one chat or completions request.

    Attributes:
        texts: What each choice says.
        cut: Whether there was more to say than the maximum of tokens allows, by choice.
        function: The function it calls instead of speaking; None where it speaks.
    """

    endpoint: Endpoint
    id: str
    created_s: int
    model: str
    texts: tuple[str, ...]
    cut: tuple[bool, ...]
    function: str | None
    usage: Usage

    @classmethod
    def to(cls, call: Call, now_us: int) -> Self:
        """The answer to `call`."""
        request = call.request
        function = forced_function(request.fields) if request.endpoint is Endpoint.CHAT else None
        each = spoken_texts(request.fields, request.endpoint)
        if function is not None:
            each = [""] * len(each)
        texts = tuple(text[: characters_allowed(call)] for text in each)
        said = "".join(texts) if function is None else "{}" * len(each)
        return cls(
            endpoint=request.endpoint,
            id=_ID_PREFIX[request.endpoint] + call.request_id.replace("-", ""),
            created_s=now_us // SECOND_US,
            model=call.reply_model,
            texts=texts,
            cut=tuple(len(text) < len(whole) for text, whole in zip(texts, each, strict=True)),
            function=function,
            usage=usage(request.fields, request.endpoint, said),
        )

    def whole(self) -> dict[str, object]:
        """The reply's document."""
        kind = "text_completion" if self.endpoint is Endpoint.COMPLETIONS else "chat.completion"
        choices = [
            {"index": index, **self._said(index), "logprobs": None, "finish_reason": self._finish_reason(index)}
            for index in range(len(self.texts))
        ]
        return self._document(kind, choices, with_usage=True)

    def chunks(self, *, usage_wanted: bool) -> Iterator[Chunk]:
        """The same as a stream, choice by choice: the role, a chunk a word, the finish reason; then the usage."""
        is_chat = self.endpoint is Endpoint.CHAT
        for index, text in enumerate(self.texts):
            if is_chat:
                yield self._chunk(index, {"delta": {"role": "assistant", "content": ""}}, content=False)
            if self.function is not None:
                called = {"index": 0, **self._tool_call(index, self.function)}
                yield self._chunk(index, {"delta": {"tool_calls": [called]}})
            for word in words(text):
                yield self._chunk(index, {"delta": {"content": word}} if is_chat else {"text": word})
            last: dict[str, object] = {"delta": {}} if is_chat else {"text": ""}
            yield self._chunk(index, last, finish_reason=self._finish_reason(index))
        data = serialised(self._document(self._chunk_object(), [], with_usage=True))
        yield Chunk(data, content=False, usage=self.usage, visible=usage_wanted)

    def _said(self, index: int) -> dict[str, object]:
        text = self.texts[index]
        if self.endpoint is Endpoint.COMPLETIONS:
            return {"text": text}
        message: dict[str, object] = {"role": "assistant", "content": text, "refusal": None}
        if self.function is not None:
            message |= {"content": None, "tool_calls": [self._tool_call(index, self.function)]}
        return {"message": message}

    def _chunk(
        self, index: int, output: dict[str, object], *, content: bool = True, finish_reason: str | None = None
    ) -> Chunk:
        choice = {"index": index, **output, "logprobs": None, "finish_reason": finish_reason}
        return Chunk(serialised(self._document(self._chunk_object(), [choice])), content=content)

    def _document(self, kind: str, choices: list[dict[str, object]], *, with_usage: bool = False) -> dict[str, object]:
        document: dict[str, object] = {
            "id": self.id,
            "object": kind,
            "created": self.created_s,
            "model": self.model,
            "choices": choices,
        }
        return document | {"usage": usage_document(self.usage)} if with_usage else document

    def _chunk_object(self) -> str:
        return "chat.completion.chunk" if self.endpoint is Endpoint.CHAT else "text_completion"

    def _finish_reason(self, index: int) -> str:
        if self.function is not None:
            return "tool_calls"
        return "length" if self.cut[index] else "stop"

    def _tool_call(self, index: int, function: str) -> dict[str, object]:
        call_id = f"call_{self.id.removeprefix(_ID_PREFIX[Endpoint.CHAT])[-24:]}"
        if index:
            call_id += f"_{index}"
        return {"id": call_id, "type": "function", "function": {"name": function, "arguments": "{}"}}
