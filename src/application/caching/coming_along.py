"""With a call that somebody else has made."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from application.caching.bounded import is_bounded
from application.caching.cache_keys import Place
from application.caching.flight import Flight, FlightLost, FlightReader
from application.caching.hits import Hit, Hits, StoredStream
from application.errors import (
    DeadlineExceeded,
    NoInstanceAvailable,
    StateUnavailable,
    UpstreamError,
    UpstreamRefused,
)
from application.gateway_request import Completed, GatewayRequest, Streaming
from application.replies.assembly import keepable
from application.replies.replay import replay
from domain.catalog import Resolved
from domain.chat import Reply
from domain.durations import SECOND_US

T = TypeVar("T")
Along = Callable[[Hit, Flight, GatewayRequest], Awaitable[T]]

LATE = "the reply that was under way did not come in time"


class StoreAway(Exception):
    """The one who asked first has found out."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that a stored reply may answer."""

    place: Place
    resolved: Resolved
    request: GatewayRequest


@dataclass(frozen=True, slots=True)
class ComingAlong:
    """Lets one in as a hit, and waits with all the others."""

    hits: Hits

    async def __call__(self, asked: Asked, flight: Flight, along: Along[T], span_us: int) -> T:
        """What its call gives.

        Raises:
            FlightLost: It came to nothing that concerns this one.
            StoreAway: The store is; whoever asked first has found out.
            GatewayError: This one may not, or not in time; or the call met what this one would have met.
        """
        request = asked.request
        hit = await self.hits.enter(request, asked.resolved)
        try:
            async with asyncio.timeout(span_us / SECOND_US):
                return await along(hit, flight, request)
        except (FlightLost, ValueError):
            hit.withdrawn()
            raise FlightLost from None
        except StateUnavailable:
            hit.withdrawn()
            raise StoreAway from None
        except (UpstreamError, NoInstanceAvailable) as error:
            raise self._told(error, hit, same_way=flight.streams is request.llm.stream) from None
        except TimeoutError:
            raise hit.failed(DeadlineExceeded(LATE, trace=hit.trace)) from None
        except asyncio.CancelledError:
            hit.ended("cancelled")
            raise
        except BaseException:
            hit.withdrawn()
            raise

    def _told(self, error: UpstreamError | NoInstanceAvailable, hit: Hit, *, same_way: bool) -> Exception:
        """What one is told that came along with a call that failed. A refusal may be of the way it was asked."""
        if isinstance(error, UpstreamRefused) and not same_way:
            hit.withdrawn()
            return FlightLost()
        if isinstance(error, UpstreamError):
            return hit.failed(type(error)(error.message, failure=error.failure, trace=hit.trace))
        return hit.failed(NoInstanceAvailable(error.message, retry_after_us=error.retry_after_us, trace=hit.trace))


async def whole(hit: Hit, flight: Flight, request: GatewayRequest) -> Completed:
    """A whole reply, when all of it has come."""
    reply = await _whole_for(flight, request)
    hit.trace.stored_us = flight.stored_us
    hit.ended("success")
    return Completed(reply, None, 0, hit.trace)


async def live(hit: Hit, flight: Flight, request: GatewayRequest) -> Streaming:
    """A stream as it comes, or one made of a whole reply. Raises ValueError where that can't be.

    One that may turn out to be cut for this reader is a whole reply: content can't be taken back.
    """
    if await flight.shows_content() and not _may_be_cut(flight, request):
        reader = FlightReader(flight, shows_usage=request.llm.stream_usage, on_end=hit.ended)
        return Streaming(reader, None, hit.trace)
    reply = await _whole_for(flight, request)
    hit.trace.stored_us = flight.stored_us
    batches = replay(request.llm.endpoint, reply.body, reply.usage, include_usage=request.llm.stream_usage)
    return Streaming(StoredStream(batches, hit), None, hit.trace)


async def _whole_for(flight: Flight, request: GatewayRequest) -> Reply:
    """The whole reply. Raises FlightLost where this one's own may say more."""
    reply = await flight.whole()
    if _may_be_cut(flight, request) and not keepable(request.llm.endpoint, reply):
        raise FlightLost
    return reply


def _may_be_cut(flight: Flight, request: GatewayRequest) -> bool:
    return flight.is_bounded and not is_bounded(request)
