"""Requests that carry an `Idempotency-Key` are carried out once."""

from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TypeVar

from application.caching.cache_keys import CacheKeys, Place
from application.caching.flight import Flight
from application.caching.flights_here import FlightsHere, Keep, Wanted
from application.caching.hits import Hits, StoredStream
from application.caching.lead import Complete, Lead, Stream
from application.caching.packing import Packing
from application.errors import IdempotencyInUse, IdempotencyMismatch, StateUnavailable
from application.gateway_request import Completed, GatewayRequest, Streaming
from application.ports.catalog_source import CatalogSource
from application.ports.clock import Clock
from domain.catalog import Resolved
from domain.chat import Reply
from domain.durations import MINUTE_US
from domain.response_cache import CachedReply, FillHeld

T = TypeVar("T")

KEPT_US = 1_440 * MINUTE_US
"""A day: how long a key is remembered."""

IN_USE_US = MINUTE_US // 2
"""How long a key stays in use after the gateway died that ran its request."""

_HEAD_BYTES = 32
_IN_USE = "the first request with this Idempotency-Key is still running: ask again when it may be over"
_MISMATCH = "this Idempotency-Key was used with another request: take a new key for each request"


@dataclass(frozen=True, slots=True)
class Idempotency:
    """Stands before everything else that answers requests, and looks like it.

    The first request with a key runs to its end, whether its client stays or not; its success is kept for a day, for
    its account and model. An error is not: the key is free again. Keys are told apart by account. Where the store is
    away, requests run as if they had none.
    """

    serve_complete: Complete
    serve_stream: Stream
    catalog_source: CatalogSource
    keys: CacheKeys
    flights: FlightsHere
    hits: Hits
    clock: Clock
    packing: Packing = field(default_factory=Packing)

    async def complete(self, request: GatewayRequest) -> Completed:
        """A whole reply. Raises IdempotencyInUse, IdempotencyMismatch, and what serving it does."""
        found = await self._find(request)
        match found:
            case Lead():
                return await _led(found, found.completed())
            case _Kept(resolved, stored):
                hit = await self.hits.enter(request, resolved, None)
                hit.trace.stored_us, hit.trace.replayed = stored.stored_us, True
                hit.ended("success")
                return Completed(Reply(stored.body[_HEAD_BYTES:], stored.usage), None, 0, hit.trace)
            case GatewayRequest():
                return await self.serve_complete(found)

    async def stream(self, request: GatewayRequest) -> Streaming:
        """A stream with its first content. Raises as `complete`."""
        found = await self._find(request)
        match found:
            case Lead():
                return await _led(found, found.streaming())
            case _Kept(resolved, stored):
                batches = await self.packing.unpack(stored.body[_HEAD_BYTES:])
                hit = await self.hits.enter(request, resolved, None)
                hit.trace.stored_us, hit.trace.replayed = stored.stored_us, True
                return Streaming(StoredStream(batches, hit), None, hit.trace)
            case GatewayRequest():
                return await self.serve_stream(found)

    async def _find(self, request: GatewayRequest) -> "Lead | _Kept | GatewayRequest":
        """The first run, joined; or what it gave; or the request itself, to be served like any other."""
        caller, llm = request.caller, request.llm
        if request.idempotency_key is None:
            return request
        resolved = self.catalog_source.current()[0].resolve(caller.routes.get(llm.model, llm.model))
        if resolved is None or not caller.may_use(llm.model):
            return request
        try:
            key = await self.keys.key_of("idempotency", caller.account, request.idempotency_key)
            place = Place(f"idempotency/{caller.account}", key)
            wanted = Wanted(place, request, self._keep(request), KEPT_US, to_its_end=True, hold_us=IN_USE_US)
            found = await self.flights.acquire(wanted)
        except StateUnavailable:
            return replace(request, degraded=(*request.degraded, "idempotency"))
        match found:
            case FillHeld():
                raise IdempotencyInUse(_IN_USE, param="Idempotency-Key")
            case CachedReply():
                if found.body[:_HEAD_BYTES] != _digest(request):
                    raise IdempotencyMismatch(_MISMATCH, param="Idempotency-Key")
                return _Kept(resolved, found)
        flight = Flight()
        flight.join()
        return self.flights.lead(wanted, flight, found)

    def _keep(self, request: GatewayRequest) -> Keep:
        async def keep(flight: Flight, served: Completed | Streaming) -> CachedReply:
            if isinstance(served, Completed):
                said, usage = served.reply.body, served.reply.usage
            else:
                said, usage = await self.packing.pack(flight.batches), None
            return CachedReply(_digest(request) + said, request.llm.model, self.clock.now_us(), usage)

        return keep


@dataclass(frozen=True, slots=True)
class _Kept:
    resolved: Resolved
    stored: CachedReply


def _digest(request: GatewayRequest) -> bytes:
    """Of all that makes it another request. Of a fixed length."""
    llm = request.llm
    betas = (name.encode() for name in sorted(llm.betas))
    parts = (llm.endpoint.encode(), llm.model.encode(), b"%d" % llm.stream, llm.body, *betas)
    return sha256(b"\0".join(parts)).digest()


async def _led(lead: Lead, serving: Awaitable[T]) -> T:
    try:
        return await serving
    finally:
        lead.flight.leave()
