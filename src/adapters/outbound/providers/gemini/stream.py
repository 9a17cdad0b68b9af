"""Google's events as chunks of a chat completion."""

import json
from collections.abc import Mapping
from typing import Any, Final

from adapters.outbound.providers.chat_documents import ChatChunks, ChatHead
from adapters.outbound.providers.failures import broken_reply
from adapters.outbound.providers.gemini.errors import failure_in_event
from adapters.outbound.providers.gemini.finish import finish_reason, is_finished
from adapters.outbound.providers.gemini.logprobs import logprobs_of
from adapters.outbound.providers.gemini.pieces import (
    CallIds,
    Candidate,
    Speaker,
    candidates_in,
    index_of,
    parts_in,
)
from adapters.outbound.providers.gemini.reply import block_reason, refusal_text
from adapters.outbound.providers.gemini.usage import usage_of, usage_shown
from adapters.outbound.providers.sse import SseParser
from domain.chat import Chunk
from domain.failure import ProviderFailed
from domain.redaction import Redactor

_END: Final = b""


class EventsToTheEnd(SseParser):
    """After the last event comes an empty one: Google's streams have no terminator, they just end."""

    __slots__ = ()

    def finish(self) -> list[bytes]:
        """What the end of the stream completes, and the end itself."""
        return [*super().finish(), _END]


class GeminiEvents:
    """One stream, complete when it ends and each of its choices has said why it ended.

    Until then a finish reason is kept: some models send one with every event.
    """

    __slots__ = ("_chunks", "_complete", "_finished", "_ids", "_redactor", "_speakers", "_usage")

    def __init__(self, head: ChatHead, redactor: Redactor, *, usage_wanted: bool) -> None:
        self._chunks = ChatChunks(head, usage_wanted=usage_wanted)
        self._ids = CallIds(head.id)
        self._redactor = redactor
        self._speakers: dict[int, Speaker] = {}
        self._finished: dict[int, str] = {}
        self._usage: dict[str, Any] = {}
        self._complete = False

    @property
    def is_complete(self) -> bool:
        """The stream has ended, and nothing is missing."""
        return self._complete

    def chunks(self, event: bytes) -> list[Chunk]:
        """What the event means."""
        if event == _END:
            return self._end()
        told = _document(event)
        if "error" in told:
            raise ProviderFailed(failure_in_event(told, self._redactor))
        if isinstance(usage := told.get("usageMetadata"), dict):
            # Its counts are those of the whole answer so far.
            self._usage |= usage
        candidates = candidates_in(told)
        if not candidates and (reason := block_reason(told)) is not None:
            return self._blocked(reason)
        chunks: list[Chunk] = []
        for candidate in candidates:
            self._say(candidate, chunks)
        return chunks

    def _say(self, candidate: Candidate, into: list[Chunk]) -> None:
        index = index_of(candidate)
        speaker = self._speakers.get(index)
        if speaker is None:
            speaker = self._speakers[index] = Speaker(self._ids, index)
            into.append(self._chunks.role(index))
        logprobs = logprobs_of(candidate)
        for piece in speaker.pieces(parts_in(candidate)):
            into.append(self._chunks.delta(piece, index=index, logprobs=logprobs))
            logprobs = None
        if logprobs is not None:
            into.append(self._chunks.delta({}, index=index, logprobs=logprobs))
        reason = candidate.get("finishReason")
        if is_finished(reason):
            self._finished[index] = finish_reason(str(reason), called=speaker.calls > 0)

    def _blocked(self, reason: str) -> list[Chunk]:
        self._finished[0] = "content_filter"
        self._speakers[0] = Speaker(self._ids, 0)
        return [self._chunks.role(), self._chunks.delta({"refusal": refusal_text(reason)})]

    def _end(self) -> list[Chunk]:
        if not self._speakers or len(self._finished) < len(self._speakers):
            return []
        self._complete = True
        chunks = [
            self._chunks.delta({}, index=index, finish_reason=reason)
            for index, reason in sorted(self._finished.items())
        ]
        usage = usage_of(self._usage)
        if usage is not None:
            chunks.append(self._chunks.usage(usage, usage_shown(usage, self._usage)))
        return chunks


def _document(event: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(event)
    except (ValueError, RecursionError) as error:
        raise ProviderFailed(broken_reply("the provider's stream holds an event that is not JSON")) from error
    if isinstance(told, list) and len(told) == 1:
        told = told[0]
    if not isinstance(told, dict):
        raise ProviderFailed(broken_reply("the provider's stream holds an event that is no JSON object"))
    return told
