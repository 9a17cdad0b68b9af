import asyncio
from collections.abc import Callable
from typing import Self

from application.active_attempt import ActiveAttempt
from application.errors import StreamBroken
from application.output_count import OutputCount, counted_usage
from application.ports.provider import ChunkStream
from application.silence_watch import SilenceWatch
from domain.chat import Chunk, LlmRequest, Usage
from domain.failure import Failure, FailureKind, ProviderFailed
from domain.routing.decision import DecisionTrace


class CommittedStream:
    """A stream that has shown its first content, and so belongs to its attempt to the end.

    Ends its attempt exactly once: with success at the end, with the failure that broke it, or as cancelled when it is
    closed early or its reader is cancelled.
    """

    __slots__ = ("_attempt", "_count", "_finish", "_head", "_llm", "_stream", "_trace", "_usage", "_watch")

    def __init__(
        self,
        head: list[tuple[Chunk, ...]],
        stream: ChunkStream,
        attempt: ActiveAttempt,
        *,
        idle_us: int,
        trace: DecisionTrace,
        llm: LlmRequest,
        finish: Callable[[str, Usage | None], None],
    ) -> None:
        self._head = head[::-1]
        self._stream = stream
        self._attempt = attempt
        self._watch = SilenceWatch(idle_us)
        self._trace = trace
        self._finish = finish
        self._llm = llm
        self._count = OutputCount()
        self._usage: Usage | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[Chunk, ...]:
        """The next batch.

        Raises:
            StreamBroken: The stream failed; there will be no more.
        """
        if self._head:
            batch = self._head.pop()
        else:
            batch = await self._next_batch()
        for chunk in batch:
            if chunk.usage is not None:
                self._usage = chunk.usage
        self._count.add(batch)
        return batch

    async def aclose(self) -> None:
        """Closes the upstream connection; where the stream has not ended, its attempt is cancelled."""
        self._cancel()
        await self._stream.aclose()

    async def _next_batch(self) -> tuple[Chunk, ...]:
        watch = self._watch
        watch.begin()
        try:
            return await self._stream.__anext__()
        except StopAsyncIteration:
            self._end("success", lambda: self._attempt.succeeded(self._used()))
            raise
        except ProviderFailed as error:
            raise self._broken(error.failure) from None
        except asyncio.CancelledError:
            if not watch.cancelled_it():
                self._cancel()
                raise
            # Told before closing: the reader may be cancelled while it waits for that.
            broken = self._broken(Failure(FailureKind.TIMEOUT, "the stream fell silent", ambiguous=True))
            await self._stream.aclose()
            raise broken from None
        except BaseException:
            self._cancel()
            raise
        finally:
            watch.end()

    def _broken(self, failure: Failure) -> StreamBroken:
        self._end("stream_broken", lambda: self._attempt.failed(failure, self._used()))
        return StreamBroken(f"the stream broke off: {failure.message}", failure=failure, trace=self._trace)

    def _cancel(self) -> None:
        self._end("cancelled", lambda: self._attempt.cancelled(self._used()))

    def _used(self) -> Usage:
        """As the provider reports it, else as far as it has come here."""
        return self._usage or counted_usage(self._llm, self._count.tokens)

    def _end(self, outcome: str, end_attempt: Callable[[], None]) -> None:
        self._watch.stop()
        if self._attempt.trace.outcome is None:
            end_attempt()
            self._finish(outcome, self._usage)
