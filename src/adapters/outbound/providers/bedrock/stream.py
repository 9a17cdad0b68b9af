"""ConverseStream's events as chunks of a chat completion."""

from collections.abc import Mapping
from typing import Any

from adapters.outbound.providers.bedrock.failures import failure_in_stream
from adapters.outbound.providers.bedrock.frames import Frame, FrameKind
from adapters.outbound.providers.bedrock.reply import ending_of, redacted_block, thinking_block, usage_of
from adapters.outbound.providers.chat_documents import ChatChunks
from adapters.outbound.providers.failures import broken_reply
from adapters.outbound.providers.reply_body import parse_event
from domain.chat import Chunk
from domain.failure import ProviderFailed
from domain.redaction import Redactor


class ConverseEvents:
    """One stream. Texts, thoughts and tool calls come in numbered blocks; tool calls and thoughts are counted apart.

    A thought goes out twice: its text as it comes, and at its end the whole signed block, for showing it to the model
    again.
    """

    __slots__ = (
        "_calls",
        "_chunks",
        "_complete",
        "_redactor",
        "_signature",
        "_stopped",
        "_thought",
        "_thoughts",
        "_unargued",
    )

    def __init__(self, chunks: ChatChunks, redactor: Redactor) -> None:
        self._chunks = chunks
        self._redactor = redactor
        self._calls: dict[int | None, int] = {}
        self._unargued: set[int | None] = set()
        self._thought: list[str] = []
        self._thoughts = -1
        self._signature = ""
        self._stopped = False
        self._complete = False

    @property
    def is_complete(self) -> bool:
        """The message has ended, and its usage has come, or never will: the connection has ended, too."""
        return self._complete

    def chunks(self, event: Frame) -> list[Chunk]:
        """What the event means. Unknown ones mean nothing."""
        match event.kind:
            case FrameKind.EVENT:
                return self._event(event.name, event.payload)
            case FrameKind.EXCEPTION:
                raise ProviderFailed(failure_in_stream(event.name, event.payload, self._redactor))
            case FrameKind.BROKEN:
                raise ProviderFailed(broken_reply(f"the provider's event stream is broken ({event.name})"))
            case FrameKind.END:
                self._complete = self._stopped
                return []

    def _event(self, name: str, payload: bytes) -> list[Chunk]:
        chunks: list[Chunk] = []
        match name:
            case "contentBlockDelta":
                chunks = self._delta(parse_event(payload))
            case "contentBlockStart":
                chunks = self._start(parse_event(payload))
            case "contentBlockStop":
                chunks = self._stop(parse_event(payload))
            case "messageStart":
                chunks = [self._chunks.role()]
            case "messageStop":
                chunks = self._ending(parse_event(payload))
            case "metadata":
                chunks = self._usage(parse_event(payload))
        return chunks

    def _start(self, told: Mapping[str, Any]) -> list[Chunk]:
        match told.get("start"):
            case {"toolUse": {"toolUseId": str(id_), "name": str(name)}}:
                block = _block_of(told)
                index = self._calls[block] = len(self._calls)
                self._unargued.add(block)
                function = {"name": name, "arguments": ""}
                return self._said(
                    {"tool_calls": [{"index": index, "id": id_, "type": "function", "function": function}]}
                )
            case _:
                return []

    def _delta(self, told: Mapping[str, Any]) -> list[Chunk]:
        block = _block_of(told)
        match told.get("delta"):
            case {"text": str(text)}:
                return self._said({"content": text})
            case {"toolUse": {"input": str(piece)}} if piece and block in self._calls:
                self._unargued.discard(block)
                return self._argued(block, piece)
            case {"reasoningContent": {"text": str(text)}}:
                self._thought.append(text)
                return self._said({"reasoning_content": text})
            case {"reasoningContent": {"signature": str(signature)}}:
                self._signature += signature
                return []
            case {"reasoningContent": {"redactedContent": str(data)}}:
                return self._thinking(redacted_block(data))
            case _:
                return []

    def _stop(self, told: Mapping[str, Any]) -> list[Chunk]:
        block = _block_of(told)
        if block in self._unargued:
            # No arguments at all are an object without members.
            self._unargued.discard(block)
            return self._argued(block, "{}")
        if not self._thought and not self._signature:
            return []
        whole = thinking_block("".join(self._thought), self._signature)
        self._thought, self._signature = [], ""
        return self._thinking(whole)

    def _ending(self, told: Mapping[str, Any]) -> list[Chunk]:
        ending = ending_of(told)
        self._stopped = True
        return [self._chunks.delta({}, finish_reason=ending.finish_reason, stop_sequence=ending.stop_sequence)]

    def _usage(self, told: Mapping[str, Any]) -> list[Chunk]:
        self._complete = self._stopped
        usage, shown = usage_of(told.get("usage"))
        return [] if usage is None else [self._chunks.usage(usage, shown)]

    def _thinking(self, block: Mapping[str, str]) -> list[Chunk]:
        # Clients put the deltas of a list together by their indices.
        self._thoughts += 1
        return self._said({"thinking_blocks": [{"index": self._thoughts, **block}]})

    def _argued(self, block: int | None, piece: str) -> list[Chunk]:
        return self._said({"tool_calls": [{"index": self._calls[block], "function": {"arguments": piece}}]})

    def _said(self, delta: Mapping[str, object]) -> list[Chunk]:
        return [self._chunks.delta(delta)]


def _block_of(told: Mapping[str, Any]) -> int | None:
    index = told.get("contentBlockIndex")
    return index if isinstance(index, int) else None
