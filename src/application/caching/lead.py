"""One call upstream on behalf of everybody who asks the same."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from application.caching.flight import Flight, FlightLost, FlightReader
from application.caching.hold import Hold
from application.errors import GatewayError, NoInstanceAvailable, StateUnavailable, UpstreamError
from application.gateway_request import Completed, GatewayRequest, Streaming
from application.ports.provider import ChunkStream
from application.replies.assemblies import assembly_for

Complete = Callable[[GatewayRequest], Awaitable[Completed]]
Stream = Callable[[GatewayRequest], Awaitable[Streaming]]
Store = Callable[[Flight, Completed | Streaming | None], Awaitable[None]]
"""Called at the end with what was served, where all of it has come and it is short enough; else with None."""

_EVERYBODYS = (UpstreamError, NoInstanceAvailable)
"""What any other who asked would have met, unless time was lacking; all else concerns the one who asked first."""

_RAW = 8
"""How many times as large as the reply the chunks of a stream may be that is kept from its beginning."""

_log = logging.getLogger(__name__)


class Lead:
    """Runs beside the request that started it, whose client may leave while others still read.

    Attributes:
        served: What the call gave, as soon as there is something.
        error: What it met instead.
    """

    def __init__(
        self,
        request: GatewayRequest,
        flight: Flight,
        store: Store,
        hold: Hold | None,
        *,
        max_bytes: int,
        to_its_end: bool = False,
    ) -> None:
        self.flight = flight
        self.served: Completed | Streaming | None = None
        self.error: BaseException | None = None
        self._request = request
        self._store = store
        self._hold = hold
        self._max_bytes = max_bytes
        self._to_its_end = to_its_end
        self._flies_alone = False
        self._task: asyncio.Task[Any] | None = None
        self._staying: asyncio.Task[None] | None = None
        flight.streams, flight.shows_usage = request.llm.stream, request.llm.stream_usage
        if not to_its_end:
            flight.on_deserted = self._deserted

    async def completed(self) -> Completed:
        """For the request that started it: the whole reply. Raises what the call met."""
        with suppress(GatewayError, FlightLost):
            await self.flight.shows_content()
        if isinstance(self.served, Completed):
            return self.served
        raise self._met()

    async def streaming(self) -> Streaming:
        """For the request that started it: the stream, with its first content. Raises what the call met."""
        with suppress(GatewayError, FlightLost):
            await self.flight.shows_content()
        if isinstance(self.served, Streaming):
            chunks = FlightReader(self.flight, shows_usage=self._request.llm.stream_usage, on_end=_nothing)
            return Streaming(chunks, self.served.instance, self.served.trace)
        raise self._met()

    def _met(self) -> BaseException:
        return self.error or StateUnavailable("the request was given up: try again")

    async def run(self, complete: Complete, stream: Stream) -> None:
        """Calls, and hands on what comes. Ends by cancellation, too."""
        self._task = asyncio.current_task()
        holding = None if self._hold is None else asyncio.create_task(self._hold.run())
        try:
            await self._fetch(complete, stream)
        except GatewayError as error:
            self._fail(error, error if isinstance(error, _EVERYBODYS) and not error.lacked_time else None)
        except asyncio.CancelledError as error:
            self._fail(error, None)
            raise
        except Exception as error:  # noqa: BLE001 - all who wait must hear of it
            _log.exception("request %s failed", self._request.request_id)
            self._fail(error, None)
        finally:
            if holding is not None:
                holding.cancel()
            is_whole = self.error is None and not self._flies_alone
            with suppress(StateUnavailable):
                await self._store(self.flight, self.served if is_whole else None)

    async def _fetch(self, complete: Complete, stream: Stream) -> None:
        if not self._request.llm.stream:
            completed = self.served = await complete(self._request)
            self.flight.land(completed.reply)
            return
        streaming = self.served = await stream(self._request)
        try:
            await self._pump(streaming.chunks)
        finally:
            await streaming.chunks.aclose()

    async def _pump(self, chunks: ChunkStream) -> None:
        flight, size_bytes = self.flight, 0
        assembly = assembly_for(self._request.llm.endpoint, self._max_bytes)
        async for batch in chunks:
            flight.push(batch)
            assembly.add(batch)
            size_bytes += sum(len(chunk.data) for chunk in batch)
            if size_bytes > _RAW * self._max_bytes:
                await self._fly_alone()
        flight.land(assembly.reply())

    async def _fly_alone(self) -> None:
        """Too long to be kept: those who read it have it, at the pace of the fastest of them, and nobody else."""
        if not self._flies_alone:
            self._flies_alone, self.flight.takes_more = True, False
            # Whoever runs to its end holds the right until then: nobody else may run meanwhile.
            if self._hold is not None and not self._hold.followed and not self._to_its_end:
                with suppress(StateUnavailable):
                    await self._hold.give_up()
        await self.flight.room()

    def _fail(self, error: BaseException, told: GatewayError | None) -> None:
        self.error = error
        self.flight.lose(told)

    def _deserted(self) -> None:
        if self._hold is None:
            self._end()
        else:
            self._staying = asyncio.create_task(self._stay_if_followed(self._hold))

    async def _stay_if_followed(self, hold: Hold) -> None:
        """Goes on for as long as another gateway waits for it."""
        while True:
            with suppress(StateUnavailable):
                await hold.beat()
            if self.flight.is_over or self.flight.readers:
                return
            if not hold.followed:
                self._end()
                return
            await hold.pause()

    def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()


def _nothing(_outcome: str) -> None:
    """Its own attempt tells how it ended."""
