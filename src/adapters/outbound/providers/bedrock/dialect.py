"""Amazon Bedrock: Converse and ConverseStream for chat, InvokeModel for embeddings."""

from collections.abc import Mapping
from typing import Any, Final

import httpx

from adapters.outbound.providers.bedrock import embeddings
from adapters.outbound.providers.bedrock.config import BedrockConfig
from adapters.outbound.providers.bedrock.failures import failure_of_reply
from adapters.outbound.providers.bedrock.frames import EventFrames, Frame
from adapters.outbound.providers.bedrock.models import Maker, maker_of
from adapters.outbound.providers.bedrock.reply import completion
from adapters.outbound.providers.bedrock.request import CAPABILITIES, converse_fields
from adapters.outbound.providers.bedrock.signature import Signer
from adapters.outbound.providers.bedrock.stream import ConverseEvents
from adapters.outbound.providers.capabilities import Capabilities
from adapters.outbound.providers.chat_documents import ChatChunks, ChatHead
from adapters.outbound.providers.dialect import Asked, CountingDialect, Dialect, EmbeddingDialect, Operation, RawHeaders
from adapters.outbound.providers.request_body import serialised
from domain.chat import Usage
from domain.failure import Failure, FailureKind
from domain.redaction import Redactor

_COUNTED: Final = ("messages", "system", "toolConfig", "additionalModelRequestFields")
_EVENT_STREAM: Final = "application/vnd.amazon.eventstream"


class BedrockDialect:
    """One instance's dialect, address and credentials."""

    def __init__(self, config: BedrockConfig) -> None:
        self._config = config
        self._redactor = config.redactor()
        self._credentials = config.credentials()
        self._signer = Signer(config.signing_region) if self._credentials else None
        self._headers = config.request_headers("application/json")
        self._stream_headers = config.request_headers(_EVENT_STREAM)
        self._urls: dict[tuple[str, str], httpx.URL] = {}

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    @property
    def redactor(self) -> Redactor:
        return self._redactor

    def failure_of_reply(self, status: int, headers: httpx.Headers, body: bytes, redactor: Redactor) -> Failure:
        """The failure in a reply; keys that were refused are looked up anew for the next request."""
        failure = failure_of_reply(status, headers, body, redactor)
        if failure.kind is FailureKind.CREDENTIAL_REFUSED and self._credentials is not None:
            self._credentials.refused()
        return failure

    async def headers(self, operation: Operation, *, stream: bool) -> RawHeaders:
        headers = self._stream_headers if stream else self._headers
        if self._credentials is not None and self._signer is not None:
            headers = self._signer.signed(operation, headers, await self._credentials.valid_keys())
        return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]

    def check(self) -> Operation:
        return Operation(self._config.check_url())

    def chat(self, asked: Asked) -> Operation:
        operation = "converse-stream" if asked.stream else "converse"
        return Operation(self._url(asked.model, operation), serialised(converse_fields(asked)))

    def completion(self, document: Mapping[str, Any], head: ChatHead) -> tuple[dict[str, object], Usage | None]:
        return completion(document, head)

    def parser(self) -> EventFrames:
        return EventFrames()

    def translation(self, head: ChatHead, *, usage_wanted: bool) -> ConverseEvents:
        return ConverseEvents(ChatChunks(head, usage_wanted=usage_wanted), self._redactor)

    def count(self, asked: Asked) -> Operation | None:
        """Of Claude's models alone. They are counted under their own id, not under that of an inference profile."""
        if maker_of(asked.model) is not Maker.CLAUDE:
            return None
        whole = converse_fields(asked)
        counted = {name: whole[name] for name in _COUNTED if name in whole}
        model = asked.model[asked.model.index(Maker.CLAUDE.value) :]
        return Operation(self._url(model, "count-tokens"), serialised({"input": {"converse": counted}}))

    def counted(self, document: Mapping[str, Any]) -> object:
        return document.get("inputTokens")

    def embeddings(self, asked: Asked) -> Operation:
        return Operation(self._url(asked.model, "invoke"), serialised(embeddings.invoke_fields(asked)))

    def embedded(self, document: Mapping[str, Any], asked: Asked, model: str) -> tuple[dict[str, object], Usage | None]:
        return embeddings.embedded(document, asked, model)

    def _url(self, model: str, operation: str) -> httpx.URL:
        url = self._urls.get((model, operation))
        if url is None:
            url = self._urls[model, operation] = self._config.url(model, operation)
        return url


_chat: type[Dialect[Frame]] = BedrockDialect
_embedding: type[EmbeddingDialect] = BedrockDialect
_counting: type[CountingDialect] = BedrockDialect
