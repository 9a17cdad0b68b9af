from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from domain.catalog import Instance
from domain.chat import Chunk, LlmRequest, Reply
from domain.identifiers import RequestId


@dataclass(slots=True)
class Departure:
    """Whether anything of a call has left for the provider, told by an adapter that knows; None where none does.

    Whoever gives up a call before anything has left owes the provider nothing.
    """

    has_left: bool | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt at one instance.

    Attributes:
        reply_model: The name the client asked for; stands in the reply.
        upstream_model: The name the provider knows.
        drop_params: Leave out what the provider cannot honour instead of refusing it.
        connect_timeout_us: For opening the connection alone. All other spans are watched by the caller.
        max_output_tokens: Sent along as the maximum, in place of one that the client did not set; None sends none.
    """

    request_id: RequestId
    request: LlmRequest
    reply_model: str
    upstream_model: str
    drop_params: bool = False
    connect_timeout_us: int = 3_000_000
    max_output_tokens: int | None = None
    departure: Departure = field(default_factory=Departure)


class ChunkStream(Protocol):
    """Chunks in the order sent, in batches that arrived together (never empty). Ends after the last complete chunk.

    A batch of nothing but invisible chunks without usage is a sign of life: bytes came, but nothing for the client.

    Raises ProviderFailed from iteration where the stream is cut, malformed, or carries an error event: a stream that
    ends without its terminator is a failure, never an end.
    """

    def __aiter__(self) -> AsyncIterator[tuple[Chunk, ...]]: ...

    async def __anext__(self) -> tuple[Chunk, ...]: ...

    async def aclose(self) -> None:
        """Closes the upstream connection at once where the stream has not ended. May be called twice."""
        ...


class MediaStream(ChunkStream):
    """A stream of the provider's own bytes, of whatever kind they are, instead of OpenAI's chunks.

    Attributes:
        content_type: What they are, for the client.
    """

    content_type: str


class Provider(Protocol):
    """The way to one instance's provider. Makes one upstream request per call; never retries or redirects.

    (A request lost on a kept connection that had died already may be sent once more, on a new one.)

    Raises ProviderFailed for everything that goes wrong upstream. Cancellation closes the upstream connection.
    """

    async def complete(self, call: Call) -> Reply:
        """The whole reply, for every endpoint."""
        ...

    async def stream(self, call: Call) -> ChunkStream:
        """The opened stream: returns when the provider has answered with a success status."""
        ...

    async def check(self) -> int | None:
        """Asks whether the provider is there, without a prompt and at no cost: the status of its answer, a success.

        None where its answers have no status. How long it may take is watched by the caller. Raises as the others, so
        whether a refusal comes from a provider that is well is for the caller to say.
        """
        ...


class ProviderDirectory(Protocol):
    """Finds the provider of an instance of the current catalog. Raises LookupError for an instance it does not know."""

    def provider_of(self, instance: Instance) -> Provider:
        """The provider; the same object for as long as the instance's configuration stays."""
        ...

    def snapshot(self) -> "ProviderDirectory":
        """The directory of the configuration in force now, which stays that of this one, whatever is reloaded."""
        ...
