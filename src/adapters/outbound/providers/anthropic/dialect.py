"""Anthropic's Messages API."""

from adapters.outbound.providers.anthropic.config import AnthropicConfig
from adapters.outbound.providers.anthropic.errors import failure_of_reply
from adapters.outbound.providers.anthropic.reply import choice_of, usage_of, usage_shown
from adapters.outbound.providers.anthropic.request import CAPABILITIES, messages_fields
from adapters.outbound.providers.anthropic.stream import AnthropicEvents
from adapters.outbound.providers.capabilities import Capabilities
from adapters.outbound.providers.chat_documents import ChatChunks, ChatHead
from adapters.outbound.providers.dialect import Asked, Dialect, Fields, Operation, RawHeaders
from adapters.outbound.providers.exchange import ReadFailure
from adapters.outbound.providers.request_body import serialised
from adapters.outbound.providers.sse import SseParser
from domain.chat import Usage
from domain.redaction import Redactor


class AnthropicDialect:
    """One instance of it."""

    def __init__(self, config: AnthropicConfig) -> None:
        self._redactor = config.redactor()
        self._messages = config.url("messages")
        self._models = Operation(config.url("models"))
        self._json_headers = config.request_headers("application/json")
        self._stream_headers = config.request_headers("text/event-stream")

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    @property
    def redactor(self) -> Redactor:
        return self._redactor

    @property
    def failure_of_reply(self) -> ReadFailure:
        return failure_of_reply

    async def headers(self, _operation: Operation, *, stream: bool) -> RawHeaders:
        return self._stream_headers if stream else self._json_headers

    def check(self) -> Operation:
        return self._models

    def chat(self, asked: Asked) -> Operation:
        return Operation(self._messages, serialised(messages_fields(asked)))

    def completion(self, document: Fields, head: ChatHead) -> tuple[dict[str, object], Usage | None]:
        told = document.get("usage")
        return head.whole([choice_of(document)], usage_shown(told)), usage_of(told)

    def parser(self) -> SseParser:
        return SseParser()

    def translation(self, head: ChatHead, *, usage_wanted: bool) -> AnthropicEvents:
        return AnthropicEvents(ChatChunks(head, usage_wanted=usage_wanted), self._redactor)


_conforms: type[Dialect[bytes]] = AnthropicDialect
