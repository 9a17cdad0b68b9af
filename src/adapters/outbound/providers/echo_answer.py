"""One answer of the echo, whole or in chunks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

from adapters.outbound.providers.echo_replies import (
    characters_allowed,
    forced_function,
    spoken_text,
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
        cut: There was more to say than the maximum of tokens allows.
        function: The function it calls instead of speaking; None where it speaks.
    """

    endpoint: Endpoint
    id: str
    created_s: int
    model: str
    text: str
    cut: bool
    function: str | None
    usage: Usage

    @classmethod
    def to(cls, call: Call, now_us: int) -> Self:
        """The answer to `call`."""
        request = call.request
        function = forced_function(request.fields) if request.endpoint is Endpoint.CHAT else None
        whole = "" if function is not None else spoken_text(request.fields, request.endpoint)
        text = whole[: characters_allowed(call)]
        return cls(
            endpoint=request.endpoint,
            id=_ID_PREFIX[request.endpoint] + call.request_id.replace("-", ""),
            created_s=now_us // SECOND_US,
            model=call.reply_model,
            text=text,
            cut=len(text) < len(whole),
            function=function,
            usage=usage(request.fields, request.endpoint, text if function is None else "{}"),
        )

    def whole(self) -> dict[str, object]:
        """The reply's document."""
        if self.endpoint is Endpoint.COMPLETIONS:
            choice: dict[str, object] = {"index": 0, "text": self.text, "logprobs": None}
            choice["finish_reason"] = self._finish_reason()
            return self._document("text_completion", [choice], with_usage=True)
        message: dict[str, object] = {"role": "assistant", "content": self.text, "refusal": None}
        if self.function is not None:
            message |= {"content": None, "tool_calls": [self._tool_call(self.function)]}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish_reason()}
        return self._document("chat.completion", [choice], with_usage=True)

    def chunks(self, *, usage_wanted: bool) -> Iterator[Chunk]:
        """The same as a stream: the role, a chunk a word, the finish reason, the usage."""
        if self.endpoint is Endpoint.CHAT:
            yield self._chunk({"delta": {"role": "assistant", "content": ""}}, content=False)
        if self.function is not None:
            yield self._chunk({"delta": {"tool_calls": [{"index": 0, **self._tool_call(self.function)}]}})
        for word in words(self.text):
            yield self._chunk({"delta": {"content": word}} if self.endpoint is Endpoint.CHAT else {"text": word})
        last: dict[str, object] = {"delta": {}} if self.endpoint is Endpoint.CHAT else {"text": ""}
        yield self._chunk(last, finish_reason=self._finish_reason())
        data = serialised(self._document(self._chunk_object(), [], with_usage=True))
        yield Chunk(data, content=False, usage=self.usage, visible=usage_wanted)

    def _chunk(self, output: dict[str, object], *, content: bool = True, finish_reason: str | None = None) -> Chunk:
        choice = {"index": 0, **output, "logprobs": None, "finish_reason": finish_reason}
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

    def _finish_reason(self) -> str:
        if self.function is not None:
            return "tool_calls"
        return "length" if self.cut else "stop"

    def _tool_call(self, function: str) -> dict[str, object]:
        call_id = f"call_{self.id.removeprefix(_ID_PREFIX[Endpoint.CHAT])[-24:]}"
        return {"id": call_id, "type": "function", "function": {"name": function, "arguments": "{}"}}
