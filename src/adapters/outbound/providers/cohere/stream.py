"""Cohere's events as chunks of a chat completion.

Source: Cohere's guides "Streaming" and "Streaming for tool use" (v2).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from adapters.outbound.providers.chat_documents import ChatChunks, ChatHead
from adapters.outbound.providers.cohere.failures import check_event, check_finish
from adapters.outbound.providers.cohere.logprobs import openai_logprobs
from adapters.outbound.providers.cohere.reply import called, finish_reason
from adapters.outbound.providers.cohere.usage import usage_of
from adapters.outbound.providers.failures import broken_reply
from adapters.outbound.providers.reply_body import parse_event
from domain.chat import Chunk
from domain.failure import ProviderFailed
from domain.redaction import Redactor

_NOTHING: Final[Mapping[str, Any]] = {}


class CohereTranslation:
    """One stream's events, told in order."""

    __slots__ = ("_arguments", "_calls", "_chunks", "_complete", "_redactor")

    def __init__(self, head: ChatHead, redactor: Redactor, *, usage_wanted: bool) -> None:
        self._chunks = ChatChunks(head, usage_wanted=usage_wanted)
        self._redactor = redactor
        self._calls = 0
        self._arguments = False
        self._complete = False

    @property
    def is_complete(self) -> bool:
        """Whether `message-end` has come."""
        return self._complete

    def chunks(self, event: bytes) -> Sequence[Chunk]:
        """The chunks in one event's data."""
        told = parse_event(event)
        translate = _BY_TYPE.get(str(told.get("type")))
        if translate is None:
            check_event(told, self._redactor)
            return ()
        return translate(self, told)

    def _started(self, _told: Mapping[str, Any]) -> Sequence[Chunk]:
        return (self._chunks.role(),)

    def _content(self, told: Mapping[str, Any]) -> Sequence[Chunk]:
        content = _said(told).get("content")
        if not isinstance(content, Mapping):
            return ()
        logprobs = openai_logprobs([item]) if (item := told.get("logprobs")) else None
        if thought := content.get("thinking"):
            return (self._chunks.delta({"reasoning_content": thought}, logprobs=logprobs),)
        text = content.get("text")
        return (self._chunks.delta({"content": text or ""}, logprobs=logprobs),) if text or logprobs else ()

    def _plan(self, told: Mapping[str, Any]) -> Sequence[Chunk]:
        plan = _said(told).get("tool_plan")
        return (self._chunks.delta({"reasoning_content": plan}),) if plan else ()

    def _call_started(self, told: Mapping[str, Any]) -> Sequence[Chunk]:
        begun = {"index": self._calls} | called(_said(told).get("tool_calls"), "")
        self._arguments = begun["function"]["arguments"] != ""
        self._calls += 1
        return (self._chunks.delta({"tool_calls": [begun]}),)

    def _call_continued(self, told: Mapping[str, Any]) -> Sequence[Chunk]:
        call = _said(told).get("tool_calls")
        function = call.get("function") if isinstance(call, Mapping) else None
        arguments = function.get("arguments") if isinstance(function, Mapping) else None
        return self._more_arguments(arguments) if arguments else ()

    def _call_ended(self, _told: Mapping[str, Any]) -> Sequence[Chunk]:
        return () if self._arguments or not self._calls else self._more_arguments("{}")

    def _more_arguments(self, arguments: str) -> Sequence[Chunk]:
        if not self._calls:
            raise ProviderFailed(broken_reply("the provider continued a tool call that it had not begun"))
        self._arguments = True
        more = {"index": self._calls - 1, "function": {"arguments": arguments}}
        return (self._chunks.delta({"tool_calls": [more]}),)

    def _cited(self, told: Mapping[str, Any]) -> Sequence[Chunk]:
        citation = _said(told).get("citations")
        return (self._chunks.delta({"citations": [citation]}),) if citation else ()

    def _ended(self, told: Mapping[str, Any]) -> Sequence[Chunk]:
        delta = told.get("delta")
        if not isinstance(delta, Mapping):
            raise ProviderFailed(broken_reply("the provider's stream ended without saying how"))
        reason = delta.get("finish_reason")
        check_finish(reason, delta.get("error"), self._redactor)
        self._complete = True
        last = self._chunks.delta({}, finish_reason=finish_reason(reason))
        usage = usage_of(delta.get("usage"))
        return (last,) if usage is None else (last, self._chunks.usage(usage))


def _said(told: Mapping[str, Any]) -> Mapping[str, Any]:
    delta = told.get("delta")
    message = delta.get("message") if isinstance(delta, Mapping) else None
    return message if isinstance(message, Mapping) else _NOTHING


_BY_TYPE: Final[Mapping[str, Callable[[CohereTranslation, Mapping[str, Any]], Sequence[Chunk]]]] = {
    "message-start": CohereTranslation._started,  # noqa: SLF001 - its own table
    "content-start": CohereTranslation._content,  # noqa: SLF001
    "content-delta": CohereTranslation._content,  # noqa: SLF001
    "tool-plan-delta": CohereTranslation._plan,  # noqa: SLF001
    "tool-call-start": CohereTranslation._call_started,  # noqa: SLF001
    "tool-call-delta": CohereTranslation._call_continued,  # noqa: SLF001
    "tool-call-end": CohereTranslation._call_ended,  # noqa: SLF001
    "citation-start": CohereTranslation._cited,  # noqa: SLF001
    "message-end": CohereTranslation._ended,  # noqa: SLF001
}
