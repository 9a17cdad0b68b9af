from dataclasses import dataclass

from application.committed_stream import CommittedStream
from application.dispatch import Dispatch, Served
from application.gateway_request import GatewayRequest, Streaming
from application.ports.provider import Call, ChunkStream, MediaStream, Provider
from application.spans import Spans, time_limit
from domain.chat import Chunk, Usage
from domain.failure import Failure, FailureKind, ProviderFailed


@dataclass(frozen=True, slots=True)
class _Opened:
    """A stream up to and including the batch with its first content."""

    head: list[tuple[Chunk, ...]]
    stream: ChunkStream
    idle_us: int


@dataclass(frozen=True, slots=True)
class Stream:
    """Serves a request with a stream. Fails over for as long as no content has come."""

    dispatch: Dispatch

    async def __call__(self, request: GatewayRequest) -> Streaming:
        """The first stream that shows content.

        Raises:
            GatewayError: There was none.
        """
        served = await self.dispatch.run(request, _open)
        served.attempt.first_content()
        stream = served.value.stream
        content_type = stream.content_type if isinstance(stream, MediaStream) else None
        return Streaming(self._commit(served), served.attempt.instance, served.journey.trace, content_type)

    def _commit(self, served: Served[_Opened]) -> CommittedStream:
        def finish(outcome: str, usage: Usage | None) -> None:
            self.dispatch.finish(served.journey, outcome, served.attempt.cost_nano, usage)

        return CommittedStream(
            served.value.head,
            served.value.stream,
            served.attempt,
            idle_us=served.value.idle_us,
            trace=served.journey.trace,
            llm=served.journey.request.llm,
            finish=finish,
        )


async def _open(provider: Provider, call: Call, spans: Spans) -> _Opened:
    """Opens a stream and reads up to its first content."""
    async with time_limit(spans.attempt_us, "the stream showed no content in time"):
        async with time_limit(spans.first_byte_us, "the stream did not begin in time"):
            stream = await provider.stream(call)
            batch = await _next(stream)
        head = [batch]
        while not any(chunk.content for chunk in batch):
            batch = await _next(stream)
            if any(chunk.visible or chunk.usage for chunk in batch):
                head.append(batch)
    return _Opened(head, stream, spans.idle_us)


async def _next(stream: ChunkStream) -> tuple[Chunk, ...]:
    """The next batch; whatever else happens closes the stream."""
    try:
        return await stream.__anext__()
    except StopAsyncIteration:
        nothing = Failure(FailureKind.BROKEN_REPLY, "the stream ended without content", ambiguous=True)
        raise ProviderFailed(nothing) from None
    except BaseException:
        await stream.aclose()
        raise
