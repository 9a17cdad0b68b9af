"""Answers requests from stored replies, and equal ones that come at once from one call upstream."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from application.caching.cache_keys import CacheKeys, Place
from application.caching.cache_uses import CacheUses
from application.caching.flight import Flight, FlightLost, FlightReader
from application.caching.flights_here import FlightsHere, Wanted
from application.caching.hits import Hit, Hits, StoredStream
from application.caching.lead import Complete, Lead, Stream
from application.errors import CacheMiss, DeadlineExceeded, StateUnavailable, UpstreamError
from application.gateway_request import Completed, GatewayRequest, Streaming
from application.ports.catalog_source import CatalogSource
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.response_cache import ResponseCache
from application.replies.assembly import keepable
from application.replies.replay import replay
from domain.caching import CacheControl, CachePolicy, CacheStatus, is_cacheable, models_of
from domain.catalog import Resolved
from domain.durations import SECOND_US
from domain.response_cache import CachedReply

T = TypeVar("T")

_JITTER = 0.1
_NOT_STORED = "no reply to this request is stored, and x-moongate-cache: only-if-cached wants no other"


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
        return await self._serve(request, self._completing())

    async def stream(self, request: GatewayRequest) -> Streaming:
        """A stream with its first content. Raises GatewayError."""
        return await self._serve(request, self._flowing())

    def _completing(self) -> "_Ways[Completed]":
        return _Ways(self.upstream_complete, self.hits.complete, Lead.completed, _whole)

    def _flowing(self) -> "_Ways[Streaming]":
        return _Ways(self.upstream_stream, self.hits.stream, Lead.streaming, _live)

    async def _serve(self, request: GatewayRequest, ways: "_Ways[T]") -> T:
        policy = self.policy()
        asked = await self._asked(request, policy)
        if asked is None:
            return await ways.upstream(self._passing_by(request, policy))
        while True:
            try:
                found = await self._find(asked, policy)
            except StateUnavailable:
                found, request = None, replace(request, degraded=(*request.degraded, "cache"))
            if isinstance(found, CachedReply):
                with suppress(ValueError):  # What another version stored need not be readable.
                    return await self._count(asked, CacheStatus.HIT, ways.stored(request, asked.resolved, found))
                found = None
            if found is None:
                return await self._count(asked, CacheStatus.MISS, ways.upstream(_missed(request)))
            try:
                if isinstance(found, Lead):
                    return await self._count(asked, CacheStatus.MISS, ways.led(found))
                return await self._come_along(asked, found, ways)
            except FlightLost:
                continue
            finally:
                (found.flight if isinstance(found, Lead) else found).leave()

    async def _asked(self, request: GatewayRequest, policy: CachePolicy) -> "_Asked | None":
        """None where no stored reply may answer it; also where nobody may answer it at all."""
        place, resolved, is_wanted = None, None, policy.enabled and is_cacheable(request.llm)
        if is_wanted:
            catalog, _ = self.catalog_source.current()
            resolved = catalog.resolve(request.caller.routes.get(request.llm.model, request.llm.model))
            if resolved is not None and request.caller.may_use(request.llm.model):
                with suppress(StateUnavailable):
                    place = await self.keys.place_of(request, policy.scope, catalog, resolved)
        if place is None and request.cache is CacheControl.ONLY_IF_CACHED:
            raise CacheMiss(_NOT_STORED)
        return None if place is None or resolved is None else _Asked(place, resolved, request)

    def _passing_by(self, request: GatewayRequest, policy: CachePolicy) -> GatewayRequest:
        if not policy.enabled:
            return request
        self.uses.add(policy.scope.name_of(request.caller), request.llm.model, CacheStatus.BYPASS)
        return replace(request, cache_status=CacheStatus.BYPASS)

    async def _find(self, asked: "_Asked", policy: CachePolicy) -> Flight | Lead | CachedReply | None:
        """Flights have been joined, and must be left."""
        match asked.request.cache:
            case CacheControl.NO_STORE | CacheControl.ONLY_IF_CACHED as wish:
                stored = await self.cache.get(*asked.place)
                if stored is None and wish is CacheControl.ONLY_IF_CACHED:
                    raise CacheMiss(_NOT_STORED)
                return stored
            case CacheControl.NO_CACHE:
                flight = Flight()
                flight.join()
                return self.flights.lead(self._wanted(asked, policy), flight, None)
            case _:
                return await self.flights.board(self._wanted(asked, policy))

    def _wanted(self, asked: "_Asked", policy: CachePolicy) -> Wanted:
        models, llm = models_of(asked.resolved), asked.request.llm

        def keep(flight: Flight, served: Completed | Streaming) -> CachedReply | None:
            by, reply = served.instance, flight.reply
            # A fallback's reply would stay long after the model that was asked for is back.
            if by is None or by.model_name not in models or reply is None or not keepable(llm.endpoint, reply):
                return None
            return CachedReply(reply.body, by.model_name, self.clock.now_us(), reply.usage)

        ttl_us = round(policy.ttl_us * (1 + _JITTER * (2 * self.randomness.draw() - 1)))
        return Wanted(asked.place, _missed(asked.request), keep, ttl_us)

    async def _come_along(self, asked: "_Asked", flight: Flight, ways: "_Ways[T]") -> T:
        """With a call that somebody else made. Raises FlightLost where it came to nothing that concerns this one."""
        request = asked.request
        hit = await self.hits.enter(request, asked.resolved)
        longest_us = self.catalog_source.current()[1].max_deadline_us
        span_us = min(request.timeout_us or longest_us, longest_us)
        try:
            async with asyncio.timeout(span_us / SECOND_US):
                return await self._count(asked, CacheStatus.HIT, ways.along(hit, flight, request))
        except FlightLost:
            hit.withdrawn()
            raise
        except UpstreamError as error:
            raise hit.failed(type(error)(error.message, failure=error.failure, trace=hit.trace)) from None
        except TimeoutError:
            late = DeadlineExceeded("the reply that was under way did not come in time", trace=hit.trace)
            raise hit.failed(late) from None
        except asyncio.CancelledError:
            hit.ended("cancelled")
            raise

    async def _count(self, asked: "_Asked", status: CacheStatus, serving: Awaitable[T]) -> T:
        """Counts what was served that way."""
        served = await serving
        self.uses.add(asked.place.scope, asked.request.llm.model, status)
        return served


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that a stored reply may answer."""

    place: Place
    resolved: Resolved
    request: GatewayRequest


@dataclass(frozen=True, slots=True)
class _Ways(Generic[T]):
    """How a request is served: by a call of its own, a stored reply, a call made for many, another's call."""

    upstream: Callable[[GatewayRequest], Awaitable[T]]
    stored: Callable[[GatewayRequest, Resolved, CachedReply], Awaitable[T]]
    led: Callable[[Lead], Awaitable[T]]
    along: Callable[[Hit, Flight, GatewayRequest], Awaitable[T]]


async def _whole(hit: Hit, flight: Flight, _request: GatewayRequest) -> Completed:
    reply = await flight.whole()
    hit.ended("success")
    return Completed(reply, None, 0, hit.trace)


async def _live(hit: Hit, flight: Flight, request: GatewayRequest) -> Streaming:
    if await flight.shows_content():
        reader = FlightReader(flight, shows_usage=request.llm.stream_usage, on_end=hit.ended)
        return Streaming(reader, None, hit.trace)
    reply = await flight.whole()
    batches = replay(request.llm.endpoint, reply.body, reply.usage, include_usage=request.llm.stream_usage)
    return Streaming(StoredStream(batches, hit), None, hit.trace)


def _missed(request: GatewayRequest) -> GatewayRequest:
    return replace(request, cache_status=CacheStatus.MISS)
