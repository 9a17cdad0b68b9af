"""Answers requests from stored replies, and equal ones that come at once from one call upstream."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from application.caching.cache_keys import CacheKeys
from application.caching.cache_uses import CacheUses
from application.caching.coming_along import LATE, Asked, ComingAlong, StoreAway, live, whole
from application.caching.flight import Flight, FlightLost
from application.caching.flights_here import FlightsHere, Wanted
from application.caching.hits import Hit, Hits
from application.caching.lead import Complete, Lead, Stream
from application.errors import (
    CacheMiss,
    DeadlineExceeded,
    GatewayError,
    StateUnavailable,
    model_not_allowed,
    model_not_found,
)
from application.gateway_request import Completed, GatewayRequest, Streaming
from application.ports.catalog_source import CatalogSource
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.response_cache import ResponseCache
from application.replies.assembly import keepable
from application.replies.whole_reply import choices_asked
from domain.caching import CacheControl, CachePolicy, CacheStatus, is_cacheable, models_of
from domain.catalog import Resolved
from domain.durations import SECOND_US
from domain.resilience.deadline import Deadline
from domain.response_cache import CachedReply

T = TypeVar("T")

_JITTER = 0.1
_TRIES = 4
_GIVEN_BACK_US = SECOND_US // 50
"""What it takes to give a fill back: whoever could not use a bounded reply would be told the same one again."""

_NOT_STORED = "no reply to this request is stored, and x-moongate-cache: only-if-cached wants no other"


@dataclass(frozen=True, slots=True)
class Caching:
    """Stands before the use cases that call providers, and looks like them.

    Replies are stored for the scope of their caller. Of equal requests under way one calls upstream, over all gateways;
    the others are hits that come with it: a stream as it flows. A store that is away is not waited for: each request
    calls upstream then.

    Attributes:
        looks_first: To look into the store costs nothing, so it is done before anything is got ready for a miss.
    """

    upstream_complete: Complete
    upstream_stream: Stream
    policy: Callable[[], CachePolicy]
    catalog_source: CatalogSource
    keys: CacheKeys
    cache: ResponseCache
    flights: FlightsHere
    hits: Hits
    coming_along: ComingAlong
    uses: CacheUses
    clock: Clock
    randomness: Randomness
    looks_first: bool = False

    async def complete(self, request: GatewayRequest) -> Completed:
        """A whole reply. Raises GatewayError."""
        return await self._serve(request, self._completing())

    async def stream(self, request: GatewayRequest) -> Streaming:
        """A stream with its first content. Raises GatewayError."""
        return await self._serve(request, self._flowing())

    def _completing(self) -> "_Ways[Completed]":
        return _Ways(self.upstream_complete, self.hits.complete, Lead.completed, whole)

    def _flowing(self) -> "_Ways[Streaming]":
        return _Ways(self.upstream_stream, self.hits.stream, Lead.streaming, live)

    async def _serve(self, request: GatewayRequest, ways: "_Ways[T]") -> T:
        policy = self.policy()
        asked = await self._asked(request, policy)
        if asked is None:
            return await ways.upstream(self._passing_by(request, policy))
        deadline = Deadline(self.clock.monotonic_us() + self._span_us(request))
        for _ in range(_TRIES):
            try:
                return await self._try(asked, policy, ways)
            except FlightLost:
                asked = replace(asked, request=self._in_time(asked.request, deadline))
            except StoreAway:
                return await self._without_store(asked, ways)
        # Whoever fetches it is refused again and again: no more waiting for others.
        return await self._count(asked, CacheStatus.MISS, ways.upstream(_missed(asked.request)))

    async def _try(self, asked: Asked, policy: CachePolicy, ways: "_Ways[T]") -> T:
        try:
            found = await self._find(asked, policy)
        except StateUnavailable:
            raise StoreAway from None
        if found is None or isinstance(found, CachedReply):
            return await self._stored_or_called(asked, found, ways)
        flight = found.flight if isinstance(found, Lead) else found
        try:
            if isinstance(found, Lead):
                return await self._count(asked, CacheStatus.MISS, ways.led(found))
            served = self.coming_along(asked, flight, ways.along, self._span_us(asked.request))
            return await self._count(asked, CacheStatus.HIT, served)
        except FlightLost:
            if flight.is_bounded:
                await self.clock.sleep(_GIVEN_BACK_US)
            raise
        finally:
            flight.leave()

    async def _stored_or_called(self, asked: Asked, found: CachedReply | None, ways: "_Ways[T]") -> T:
        if found is not None:
            with suppress(ValueError):  # What another version stored need not be readable.
                return await self._count(asked, CacheStatus.HIT, ways.stored(asked.request, asked.resolved, found))
            if asked.request.cache is CacheControl.ONLY_IF_CACHED:
                raise CacheMiss(_NOT_STORED)
        return await self._count(asked, CacheStatus.MISS, ways.upstream(_missed(asked.request)))

    async def _without_store(self, asked: Asked, ways: "_Ways[T]") -> T:
        request = asked.request
        if request.cache is CacheControl.ONLY_IF_CACHED:
            raise CacheMiss(_NOT_STORED)
        alone = _missed(replace(request, degraded=(*request.degraded, "cache")))
        return await self._count(asked, CacheStatus.MISS, ways.upstream(alone))

    def _span_us(self, request: GatewayRequest) -> int:
        longest_us = self.catalog_source.current()[1].max_deadline_us
        return min(request.timeout_us or longest_us, longest_us)

    def _in_time(self, request: GatewayRequest, deadline: Deadline) -> GatewayRequest:
        """With the time that is left. Raises DeadlineExceeded."""
        left_us = deadline.remaining_us(self.clock.monotonic_us())
        if left_us <= 0:
            raise DeadlineExceeded(LATE)
        return replace(request, timeout_us=left_us)

    async def _asked(self, request: GatewayRequest, policy: CachePolicy) -> Asked | None:
        """None where no stored reply may answer it; also where nobody may answer it at all."""
        place, resolved, is_wanted = None, None, policy.enabled and is_cacheable(request.llm)
        if is_wanted:
            catalog, _ = self.catalog_source.current()
            resolved = catalog.resolve(request.caller.routes.get(request.llm.model, request.llm.model))
            if resolved is not None and request.caller.may_use(request.llm.model):
                with suppress(StateUnavailable):
                    place = await self.keys.place_of(request, policy.scope, catalog, resolved)
        if place is None and request.cache is CacheControl.ONLY_IF_CACHED:
            raise self._nothing_for(request)
        return None if place is None or resolved is None else Asked(place, resolved, request)

    def _nothing_for(self, request: GatewayRequest) -> GatewayError:
        """What one is told that wants a stored reply and can have none: as without that wish, where it says more."""
        caller, name = request.caller, request.llm.model
        if self.catalog_source.current()[0].resolve(caller.routes.get(name, name)) is None:
            return model_not_found(name)
        return CacheMiss(_NOT_STORED) if caller.may_use(name) else model_not_allowed(name)

    def _passing_by(self, request: GatewayRequest, policy: CachePolicy) -> GatewayRequest:
        if not policy.enabled:
            return request
        caller, name = request.caller, request.llm.model
        resolved = self.catalog_source.current()[0].resolve(caller.routes.get(name, name))
        if resolved is None or not caller.may_use(name):
            return request  # A name that anybody may make up is counted nowhere.
        self.uses.add(policy.scope.name_of(request.caller), request.llm.model, CacheStatus.BYPASS)
        return replace(request, cache_status=CacheStatus.BYPASS)

    async def _find(self, asked: Asked, policy: CachePolicy) -> Flight | Lead | CachedReply | None:
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
                stored = await self.cache.get(*asked.place) if self.looks_first else None
                return stored or await self.flights.board(self._wanted(asked, policy))

    def _wanted(self, asked: Asked, policy: CachePolicy) -> Wanted:
        models, llm = models_of(asked.resolved), asked.request.llm

        async def keep(flight: Flight, served: Completed | Streaming) -> CachedReply | None:
            by, reply = served.instance, flight.reply
            # A fallback's reply would stay long after the model that was asked for is back.
            if by is None or by.model_name not in models or reply is None:
                return None
            if not keepable(llm.endpoint, reply, choices_asked(llm)):
                return None
            return CachedReply(reply.body, by.model_name, self.clock.now_us(), reply.usage)

        ttl_us = round(policy.ttl_us * (1 + _JITTER * (2 * self.randomness.draw() - 1)))
        return Wanted(asked.place, _missed(asked.request), keep, ttl_us)

    async def _count(self, asked: Asked, status: CacheStatus, serving: Awaitable[T]) -> T:
        """Counts what was served that way."""
        served = await serving
        self.uses.add(asked.place.scope, asked.request.llm.model, status)
        return served


@dataclass(frozen=True, slots=True)
class _Ways(Generic[T]):
    """How a request is served: by a call of its own, a stored reply, a call made for many, another's call."""

    upstream: Callable[[GatewayRequest], Awaitable[T]]
    stored: Callable[[GatewayRequest, Resolved, CachedReply], Awaitable[T]]
    led: Callable[[Lead], Awaitable[T]]
    along: Callable[[Hit, Flight, GatewayRequest], Awaitable[T]]


def _missed(request: GatewayRequest) -> GatewayRequest:
    return replace(request, cache_status=CacheStatus.MISS)
