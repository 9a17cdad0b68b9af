"""One instance of Cohere: where it is, what opens it, and its format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx

from adapters.outbound.providers.addresses import redactor_of, refuse_unusable
from adapters.outbound.providers.chat_documents import ChatHead
from adapters.outbound.providers.cohere import embeddings, reply
from adapters.outbound.providers.cohere.failures import failure_of_reply
from adapters.outbound.providers.cohere.request import chat_fields
from adapters.outbound.providers.cohere.stream import CohereTranslation
from adapters.outbound.providers.cohere.words import CAPABILITIES
from adapters.outbound.providers.dialect import Asked, Dialect, EmbeddingDialect, Fields, Operation, RawHeaders
from adapters.outbound.providers.exchange import ReadFailure
from adapters.outbound.providers.request_body import serialised
from adapters.outbound.providers.sse import SseParser
from domain.chat import Usage
from domain.redaction import Redactor

_BASE_URL: Final = "https://api.cohere.com"


@dataclass(frozen=True, slots=True)
class CohereConfig:
    """One instance's way to Cohere. Its secrets stay out of its representation.

    Attributes:
        headers: Sent with every request; they win over what would be sent otherwise.

    Raises:
        ValueError: The URL is none, or a header cannot be sent.
    """

    api_key: str | None = field(default=None, repr=False)
    base_url: str = _BASE_URL
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        refuse_unusable("cohere", self.base_url, self.credentials())

    def url(self, path: str) -> httpx.URL:
        """Where an operation is."""
        return httpx.URL(f"{self.base_url.rstrip('/')}/{path}")

    def credentials(self) -> list[tuple[str, str]]:
        """The headers that open it."""
        key = [("authorization", f"Bearer {self.api_key}")] if self.api_key else []
        return [*key, *self.headers.items()]

    def redactor(self) -> Redactor:
        """Takes this instance's own secrets and address out of its provider's words."""
        address = "" if self.base_url == _BASE_URL else self.base_url
        return redactor_of(address, (self.api_key or "",), self.headers)


class CohereDialect:
    """Cohere's second API, for chats and embeddings."""

    capabilities = CAPABILITIES
    failure_of_reply: ReadFailure = staticmethod(failure_of_reply)

    def __init__(self, config: CohereConfig) -> None:
        self.redactor = config.redactor()
        self._headers = {stream: request_headers(config, stream=stream) for stream in (False, True)}
        self._chat = config.url("v2/chat")
        self._embed = config.url("v2/embed")
        self._models = config.url("v1/models?page_size=1")

    async def headers(self, _operation: Operation, *, stream: bool) -> RawHeaders:
        """The same for every request."""
        return self._headers[stream]

    def check(self) -> Operation:
        """Its models, of which one is enough."""
        return Operation(self._models)

    def chat(self, asked: Asked) -> Operation:
        """For a chat."""
        return Operation(self._chat, serialised(chat_fields(asked)))

    def completion(self, document: Fields, head: ChatHead) -> tuple[dict[str, object], Usage | None]:
        """The chat completion in a whole reply."""
        return reply.completion(document, head, self.redactor)

    def parser(self) -> SseParser:
        """Server-sent events."""
        return SseParser()

    def translation(self, head: ChatHead, *, usage_wanted: bool) -> CohereTranslation:
        """For one stream."""
        return CohereTranslation(head, self.redactor, usage_wanted=usage_wanted)

    def embeddings(self, asked: Asked) -> Operation:
        """For embeddings."""
        return Operation(self._embed, serialised(embeddings.embed_fields(asked)))

    def embedded(self, document: Fields, asked: Asked, model: str) -> tuple[dict[str, object], Usage | None]:
        """The embeddings in a reply."""
        return embeddings.embedded(document, asked, model)


def request_headers(config: CohereConfig, *, stream: bool) -> RawHeaders:
    """All headers of a request but its id and its length."""
    usual = {
        "accept": "text/event-stream" if stream else "application/json",
        "accept-encoding": "identity",
        "content-type": "application/json",
        "user-agent": "moongate",
    }
    merged = usual | {name.lower(): value for name, value in config.credentials()}
    return tuple((name.encode("ascii"), value.encode("latin-1")) for name, value in merged.items())


_conforms: type[Dialect[bytes]] = CohereDialect
_conforms_embedding: type[EmbeddingDialect] = CohereDialect
