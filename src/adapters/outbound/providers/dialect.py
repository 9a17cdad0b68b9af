"""What a provider that does not speak OpenAI's dialect must tell of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import httpx

from adapters.outbound.providers.capabilities import Capabilities
from adapters.outbound.providers.chat_documents import ChatHead
from adapters.outbound.providers.exchange import ReadFailure
from adapters.outbound.providers.provider_stream import EventParser
from adapters.outbound.providers.translated_stream import StreamTranslation
from domain.chat import Usage
from domain.redaction import Redactor

E = TypeVar("E")
Fields = Mapping[str, Any]
RawHeaders = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as a dialect is to write it.

    Attributes:
        fields: What the dialect honours, in OpenAI's words, without nulls. Neither `model` nor the maximum need be
            looked for in it: they are below.
        model: The provider's name for the model.
        max_tokens: The client's maximum of output, or the gateway's where the client set none; None where nobody did.
        drop_params: A value that can't be honoured is left out instead of refused.
    """

    fields: Fields
    model: str
    stream: bool = False
    max_tokens: int | None = None
    drop_params: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One request to the provider, before its headers. `body` None is a GET."""

    url: httpx.URL
    body: bytes | None = None

    @property
    def method(self) -> str:
        """GET or POST."""
        return "GET" if self.body is None else "POST"


class Dialect(Protocol[E]):
    """One instance's provider: its format, which is pure, and its address and credentials. `E` is an event's type.

    All that is made from a request raises ProviderFailed with UNSUPPORTED or REQUEST_REFUSED, naming the field; all
    that is made from a reply raises it with BROKEN_REPLY where the reply is not what it should be.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    @property
    def redactor(self) -> Redactor:
        """Takes this instance's secrets and address out of its provider's words."""
        ...

    @property
    def failure_of_reply(self) -> ReadFailure:
        """How its errors are read."""
        ...

    async def headers(self, operation: Operation, *, stream: bool) -> RawHeaders:
        """All headers but the request's id and length: credentials, signature. Awaits where a token must be fetched."""
        ...

    def check(self) -> Operation:
        """Something that the provider answers at no cost."""
        ...

    def chat(self, asked: Asked) -> Operation:
        """A chat completion's request."""
        ...

    def completion(self, document: Fields, head: ChatHead) -> tuple[dict[str, object], Usage | None]:
        """The chat completion in a whole reply."""
        ...

    def parser(self) -> EventParser[E]:
        """For one stream's bytes."""
        ...

    def translation(self, head: ChatHead, *, usage_wanted: bool) -> StreamTranslation[E]:
        """For one stream's events."""
        ...


class EmbeddingDialect(Protocol):
    """Has embeddings, too."""

    def embeddings(self, asked: Asked) -> Operation:
        """The request for embeddings."""
        ...

    def embedded(self, document: Fields, asked: Asked, model: str) -> tuple[dict[str, object], Usage | None]:
        """The reply as OpenAI writes it. `model`: the client's name for it."""
        ...


class CountingDialect(Protocol):
    """Counts the tokens of a prompt, too, for nothing."""

    def count(self, asked: Asked) -> Operation | None:
        """The request that counts what a chat would be; None where this model is not counted."""
        ...

    def counted(self, document: Fields) -> object:
        """The number in the reply."""
        ...
