"""What the gateway must know of a request, a reply and a chunk. Everything else passes through as bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from domain.form import Form
from domain.work import NO_WORK, Work


class Endpoint(StrEnum):
    """What is asked of a model. The value is the name used in capabilities and in traces."""

    CHAT = "chat"
    COMPLETIONS = "completions"
    EMBEDDINGS = "embeddings"
    MESSAGES = "messages"
    COUNT_TOKENS = "count_tokens"
    RESPONSES = "responses"
    MODERATIONS = "moderations"
    IMAGES = "images"
    TRANSCRIPTIONS = "transcriptions"
    TRANSLATIONS = "translations"
    SPEECH = "speech"
    RERANK = "rerank"

    @property
    def writes_text(self) -> bool:
        """Whether the answer is text that a model writes, as long as a maximum allows."""
        return self in _WRITING

    @property
    def is_forwarded(self) -> bool:
        """Whether a provider has it as it is, or not at all: nothing is translated."""
        return self in _FORWARDED

    @property
    def is_free(self) -> bool:
        """Whether no provider takes anything for it."""
        return self is Endpoint.COUNT_TOKENS


_WRITING = frozenset({Endpoint.CHAT, Endpoint.COMPLETIONS, Endpoint.MESSAGES, Endpoint.RESPONSES})
_FORWARDED = frozenset(
    {
        Endpoint.MODERATIONS,
        Endpoint.IMAGES,
        Endpoint.TRANSCRIPTIONS,
        Endpoint.TRANSLATIONS,
        Endpoint.SPEECH,
        Endpoint.RERANK,
    }
)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one attempt. `cached_input_tokens` are part of `input_tokens`.

    `estimated`: counted by the gateway, not reported by the provider. `units`: see `Work`.
    """

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0
    estimated: bool = False
    units: int = 0


@dataclass(frozen=True, slots=True)
class LlmRequest:
    """One client request after validation.

    Attributes:
        model: As the client asked for it: a model, an alias or a route's slug.
        body: The JSON document exactly as it arrived; what is forwarded is spliced from it.
        fields: The same document, parsed. Never modified.
        stream: The client is answered as the answer comes: in server-sent events, or the bytes of a sound.
        stream_usage: The client asked for the usage chunk (`stream_options.include_usage`).
        input_tokens: Estimate at four characters a token, over everything that becomes prompt.
        most_input_tokens: A bound that no provider's count exceeds.
        choices: How many answers are asked for, each up to the maximum.
        work: What is asked for beyond text.
        form: What came instead of a JSON document; `body` and `fields` are empty then.
        max_output_tokens: The client's own maximum; None where it set none.
        betas: Features of Anthropic's API beside its documented version that the client asks for.
    """

    endpoint: Endpoint
    model: str
    body: bytes
    fields: Mapping[str, object]
    stream: bool = False
    stream_usage: bool = False
    input_tokens: int = 0
    max_output_tokens: int | None = None
    most_input_tokens: int = 0
    choices: int = 1
    work: Work = NO_WORK
    form: Form | None = None
    betas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer: the body for the client, with the client's name for the model in it where it is JSON.

    `by_gateway`: nobody was asked for it, so it says nothing of how an instance is.
    """

    body: bytes
    usage: Usage | None = None
    content_type: str = "application/json"
    by_gateway: bool = False


class Chunk(NamedTuple):
    """One event of a stream: the JSON payload for the client, without SSE framing.

    A tuple and no dataclass: one is made for every chunk, in a third of the time.

    Attributes:
        data: JSON of one chunk in OpenAI's shape, with the client's name for the model in it.
        content: It carries output (text, tool call, reasoning, refusal, a finish reason): after it the reply is
            committed to this attempt. Role-only and empty chunks are not content.
        usage: Tokens, where this chunk reports them.
        visible: False for a chunk that the gateway asked for and the client did not (usage).
    """

    data: bytes
    content: bool = True
    usage: Usage | None = None
    visible: bool = True
