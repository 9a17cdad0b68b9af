"""Google's dialect, at its two addresses: the Gemini API and Vertex AI."""

from typing import Final

import httpx

from adapters.outbound.providers.capabilities import Capabilities
from adapters.outbound.providers.chat_documents import ChatHead
from adapters.outbound.providers.dialect import (
    Asked,
    CountingDialect,
    Dialect,
    EmbeddingDialect,
    Fields,
    Operation,
    RawHeaders,
)
from adapters.outbound.providers.exchange import ReadFailure
from adapters.outbound.providers.gemini import embeddings
from adapters.outbound.providers.gemini.access_token import TokenSource
from adapters.outbound.providers.gemini.config import GeminiConfig, VertexConfig
from adapters.outbound.providers.gemini.errors import gemini_failure
from adapters.outbound.providers.gemini.reply import completion_of
from adapters.outbound.providers.gemini.request import CHAT_FIELDS, generate_fields
from adapters.outbound.providers.gemini.stream import EventsToTheEnd, GeminiEvents
from adapters.outbound.providers.request_body import serialised
from domain.chat import Endpoint, Usage
from domain.failure import Failure, FailureKind
from domain.redaction import Redactor

_TRANSLATED: Final = frozenset({Endpoint.CHAT, Endpoint.COMPLETIONS, Endpoint.EMBEDDINGS})

GEMINI: Final = Capabilities("gemini", frozenset(), _TRANSLATED, CHAT_FIELDS)
VERTEX: Final = Capabilities("vertex", frozenset(), _TRANSLATED, CHAT_FIELDS)


class _Urls:
    """A URL takes longer to parse than to find again; the models are those of the configuration."""

    def __init__(self, config: GeminiConfig | VertexConfig) -> None:
        self._config = config
        self._known: dict[tuple[str, str], httpx.URL] = {}

    def of(self, model: str, verb: str) -> httpx.URL:
        url = self._known.get((model, verb))
        if url is None:
            url = self._known[model, verb] = self._config.url(model, verb)
        return url


# What may stand beside the contents where Vertex counts; the Gemini API takes a whole request instead.
_COUNTED: Final = ("contents", "systemInstruction", "tools", "generationConfig")


def _chat(urls: _Urls, asked: Asked, provider: str) -> Operation:
    verb = "streamGenerateContent?alt=sse" if asked.stream else "generateContent"
    return Operation(urls.of(asked.model, verb), serialised(generate_fields(asked, provider)))


class GeminiDialect:
    """An instance of `gemini`."""

    def __init__(self, config: GeminiConfig) -> None:
        self._config = config
        self._urls = _Urls(config)
        self._redactor = config.redactor()
        self._json_headers = config.request_headers("application/json")
        self._stream_headers = config.request_headers("text/event-stream")

    @property
    def capabilities(self) -> Capabilities:
        return GEMINI

    @property
    def redactor(self) -> Redactor:
        return self._redactor

    @property
    def failure_of_reply(self) -> ReadFailure:
        return gemini_failure

    async def headers(self, operation: Operation, *, stream: bool) -> RawHeaders:  # noqa: ARG002 - a key signs nothing
        return self._stream_headers if stream else self._json_headers

    def check(self) -> Operation:
        return Operation(self._config.check_url())

    def chat(self, asked: Asked) -> Operation:
        return _chat(self._urls, asked, GEMINI.name)

    def completion(self, document: Fields, head: ChatHead) -> tuple[dict[str, object], Usage | None]:
        return completion_of(document, head)

    def parser(self) -> EventsToTheEnd:
        return EventsToTheEnd()

    def translation(self, head: ChatHead, *, usage_wanted: bool) -> GeminiEvents:
        return GeminiEvents(head, self._redactor, usage_wanted=usage_wanted)

    def count(self, asked: Asked) -> Operation:
        whole = {"model": self._config.resource(asked.model), **generate_fields(asked, GEMINI.name)}
        return Operation(self._urls.of(asked.model, "countTokens"), serialised({"generateContentRequest": whole}))

    def counted(self, document: Fields) -> object:
        return document.get("totalTokens")

    def embeddings(self, asked: Asked) -> Operation:
        body = embeddings.batch_fields(asked, self._config.resource(asked.model), GEMINI.name)
        return Operation(self._urls.of(asked.model, "batchEmbedContents"), serialised(body))

    def embedded(self, document: Fields, asked: Asked, model: str) -> tuple[dict[str, object], Usage | None]:
        return embeddings.embedded(document, asked, model)


class VertexDialect:
    """An instance of `vertex`."""

    def __init__(self, config: VertexConfig, tokens: TokenSource) -> None:
        """`tokens` is asked only where neither a key nor a header opens it."""
        self._config = config
        self._tokens = tokens if config.wants_token else None
        self._redacted = ""
        self._urls = _Urls(config)
        self._redactor = self._knowing = config.redactor()
        self._json_headers = config.request_headers("application/json")
        self._stream_headers = config.request_headers("text/event-stream")

    @property
    def capabilities(self) -> Capabilities:
        return VERTEX

    @property
    def redactor(self) -> Redactor:
        return self._redactor

    @property
    def failure_of_reply(self) -> ReadFailure:
        return self._failure

    async def headers(self, operation: Operation, *, stream: bool) -> RawHeaders:  # noqa: ARG002 - a token signs nothing
        usual = self._stream_headers if stream else self._json_headers
        if self._tokens is None:
            return usual
        token = await self._tokens.token()
        bearer = (b"authorization", b"Bearer " + token.value.encode("latin-1"))
        if not token.quota_project:
            return (*usual, bearer)
        return (*usual, bearer, (b"x-goog-user-project", token.quota_project.encode("latin-1")))

    def check(self) -> Operation:
        return Operation(self._config.check_url())

    def chat(self, asked: Asked) -> Operation:
        return _chat(self._urls, asked, VERTEX.name)

    def completion(self, document: Fields, head: ChatHead) -> tuple[dict[str, object], Usage | None]:
        return completion_of(document, head)

    def parser(self) -> EventsToTheEnd:
        return EventsToTheEnd()

    def translation(self, head: ChatHead, *, usage_wanted: bool) -> GeminiEvents:
        return GeminiEvents(head, self._redactor_now(), usage_wanted=usage_wanted)

    def count(self, asked: Asked) -> Operation:
        whole = generate_fields(asked, VERTEX.name)
        counted = {name: whole[name] for name in _COUNTED if name in whole}
        return Operation(self._urls.of(asked.model, "countTokens"), serialised(counted))

    def counted(self, document: Fields) -> object:
        return document.get("totalTokens")

    def embeddings(self, asked: Asked) -> Operation:
        """Google's newer models have an operation of their own for it."""
        if "gemini" in asked.model:
            verb, body = "batchEmbedContents", embeddings.vertex_batch_fields(asked, VERTEX.name)
        else:
            verb, body = "predict", embeddings.predict_fields(asked, VERTEX.name)
        return Operation(self._urls.of(asked.model, verb), serialised(body))

    def embedded(self, document: Fields, asked: Asked, model: str) -> tuple[dict[str, object], Usage | None]:
        return embeddings.embedded(document, asked, model)

    def _failure(self, status: int, headers: httpx.Headers, body: bytes, redactor: Redactor) -> Failure:  # noqa: ARG002 - it knows no token
        failure = gemini_failure(status, headers, body, self._redactor_now())
        if failure.kind is FailureKind.CREDENTIAL_REFUSED and self._tokens is not None:
            self._tokens.forget()
        return failure

    def _redactor_now(self) -> Redactor:
        """One that knows the token, too."""
        token = self._tokens.at_hand if self._tokens is not None else None
        if token is None:
            return self._redactor
        if self._redacted != token.value:
            self._redacted, self._knowing = token.value, self._config.redactor(token.value)
        return self._knowing


_gemini: type[Dialect[bytes]] = GeminiDialect
_vertex: type[Dialect[bytes]] = VertexDialect
_gemini_counts: type[CountingDialect] = GeminiDialect
_vertex_counts: type[CountingDialect] = VertexDialect
_gemini_embeds: type[EmbeddingDialect] = GeminiDialect
_vertex_embeds: type[EmbeddingDialect] = VertexDialect
