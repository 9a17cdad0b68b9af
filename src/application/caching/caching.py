"""Answers requests from stored replies, and equal ones that come at once from one call upstream."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from application.caching.cache_keys import CacheKeys, Place
from application.caching.cache_uses import CacheUses
from application.caching.flight import Flight, FlightLost, FlightReader
from application.caching.flights_here import FlightsHere, Wanted
from application.caching.hits import Hit, Hits
from application.caching.lead import Complete, Lead, Stream
from application.caching.whole_reply import keepable
from application.errors import CacheMiss, DeadlineExceeded, GatewayError, StateUnavailable, UpstreamError
from application.gateway_request import Completed, GatewayRequest, Streaming
from application.ports.catalog_source import CatalogSource
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.response_cache import ResponseCache
from domain.caching import CacheControl, CachePolicy, CacheStatus, is_cacheable, models_of
from domain.catalog import Resolved
from domain.durations import SECOND_US
from domain.response_cache import CachedReply

T = TypeVar("T")

_NOT_STORED = "no reply to this request is stored, and x-moongate-cache: only-if-cached wants no other"
_WITHOUT = ("cache",)
_PLACELESS = Place("", "")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that a stored reply may answer."""

    place: Place
    resolved: Resolved
    request: GatewayRequest


@dataclass(frozen=True, slots=True)
class Caching:
    """Stands before the use cases that call providers, and looks like them.

    Replies are stored for the scope of their caller. Of equal requests under way one calls upstream, over all gateways;
    the others are hits that come with it: a stream as it flows. A store that is away is not waited for: each request
    calls upstream then.
    """

    upstream_complete: Complete
    upstream_stream: Stream
    policy: Callable[[], CachePolicy]
    catalog_source: CatalogSource
    keys: CacheKeys
    cache: ResponseCache
    flights: FlightsHere
    hits: Hits
    uses: CacheUses
    clock: Clock
    randomness: Randomness

    async def complete(self, request: GatewayRequest) -> Completed:
        """A whole reply. Raises GatewayError."""
        asked = await self._asked(request)
        if asked is None:
            return await self.upstream_complete(self._marked(request, CacheStatus.BYPASS))
        while True:
            found = await self._find(asked)
            match found:
                case None:
                    return await self.upstream_complete(self._marked(request, CacheStatus.MISS))
                case CachedReply():
                    return await self.hits.complete(request, asked.resolved, found)
                case Lead():
                    return await self._led(found.flight, found.completed())
            completed = await self._led(found, self._come_along(asked, found, self._wait_whole))
            if completed is not None:
                return completed

    async def stream(self, request: GatewayRequest) -> Streaming:
        """A stream with its first content. Raises GatewayError."""
        asked = await self._asked(request)
        if asked is None:
            return await self.upstream_stream(self._marked(request, CacheStatus.BYPASS))
        while True:
            found = await self._find(asked)
            match found:
                case None:
                    return await self.upstream_stream(self._marked(request, CacheStatus.MISS))
                case CachedReply():
                    return await self.hits.stream(request, asked.resolved, found)
                case Lead():
                    return await self._led(found.flight, found.streaming())
            streaming = await self._led(found, self._come_along(asked, found, self._wait_flowing))
            if streaming is not None:
                return streaming
