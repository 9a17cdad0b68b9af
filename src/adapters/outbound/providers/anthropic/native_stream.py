"""Anthropic's own events, relayed to a client that reads them."""

from collections.abc import Mapping
from typing import Any, Final

from adapters.outbound.providers.anthropic.errors import failure_of_event
from adapters.outbound.providers.anthropic.reply import usage_of
from adapters.outbound.providers.chat_documents import json_of
from adapters.outbound.providers.failures import broken_reply
from adapters.outbound.providers.reply_body import parse_event
from adapters.outbound.providers.translated_stream import StreamTranslation
from domain.chat import Chunk, Usage
from domain.failure import ProviderFailed
from domain.redaction import Redactor

_DELTA: Final = b'{"type":"content_block_delta"'
_TEXTS: Final = ("text", "thinking")


class NativeEvents:
    """One stream: bytes as they came, but for the model's name. Only what is no piece of a block is read."""

    __slots__ = ("_complete", "_counts", "_model", "_redactor", "_told")

    def __init__(self, model: str, redactor: Redactor) -> None:
        self._model = model
        self._redactor = redactor
        self._counts: dict[str, Any] = {}
        self._told = False
        self._complete = False

    @property
    def is_complete(self) -> bool:
        return self._complete

    def chunks(self, event: bytes) -> list[Chunk]:
        """The event, with what the gateway must know of it."""
        if event.startswith(_DELTA) and event.rstrip().endswith(b"}"):
            return [Chunk(event)]
        told = parse_event(event)
        match told.get("type"):
            case "message_start":
                return [self._started(told)]
            case "content_block_start":
                block = told.get("content_block")
                kind = block.get("type") if isinstance(block, dict) else None
                return [Chunk(event, content=kind not in _TEXTS)]
            case "message_delta":
                return [self._ended(event, told)]
            case "error":
                raise ProviderFailed(failure_of_event(told, self._redactor))
            case "content_block_delta":
                return [Chunk(event)]
            case kind:
                self._complete = kind == "message_stop"
                return [Chunk(event, content=False)]

    def _started(self, told: Mapping[str, Any]) -> Chunk:
        message = told.get("message")
        if not isinstance(message, dict):
            raise ProviderFailed(broken_reply("the provider's stream begins without a message"))
        self._count(message.get("usage"))
        return Chunk(json_of({**told, "message": {**message, "model": self._model}}), content=False)

    def _ended(self, event: bytes, told: Mapping[str, Any]) -> Chunk:
        """The usage is that of the whole message, and told once."""
        self._count(told.get("usage"))
        usage: Usage | None = None
        delta = told.get("delta")
        if not self._told and isinstance(delta, dict) and delta.get("stop_reason") is not None:
            self._told, usage = True, usage_of(self._counts)
        return Chunk(event, usage=usage)

    def _count(self, usage: object) -> None:
        if isinstance(usage, dict):
            self._counts |= {name: count for name, count in usage.items() if count is not None}


_conforms: type[StreamTranslation[bytes]] = NativeEvents
