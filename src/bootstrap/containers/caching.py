"""Where replies are kept, and what goes by them before anything is called."""

from typing import Any

from dependency_injector.providers import Callable, List, Object, Selector, Singleton

from adapters.inbound.http.admin.cache import cache_routes
from adapters.outbound.memory.fills import Fills
from adapters.outbound.memory.flights import MemoryFlights
from adapters.outbound.memory.response_cache import MemoryResponseCache
from adapters.outbound.redis.flights import RedisFlights
from adapters.outbound.redis.prober import Prober
from adapters.outbound.redis.response_cache import RedisResponseCache
from adapters.outbound.system.fingerprint import HmacFingerprint
from application.caching.cache_keys import CacheKeys
from application.caching.cache_uses import CacheUses
from application.caching.caching import Caching
from application.caching.coming_along import ComingAlong
from application.caching.flights_here import FlightsHere
from application.caching.hits import Hits
from application.caching.idempotency import Idempotency
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.use_cases.admin.cache import AdministerCache
from bootstrap.containers.observation import ObservationContainer
from bootstrap.in_force import InForce
from bootstrap.reply_keeping import ReplyKeeping
from bootstrap.stores import RedisStore
from domain.caching import CachePolicy

_Base = ObservationContainer
_cache = _Base.settings.provided.cache


class CachePolicyInForce:
    """What the configuration says now."""

    def __init__(self, in_force: InForce) -> None:
        self._in_force = in_force
        self._section = in_force.settings.cache
        self._policy = self._section.policy

    def __call__(self) -> CachePolicy:
        """Made anew when the configuration was."""
        section = self._in_force.settings.cache
        if section is not self._section:
            self._section, self._policy = section, section.policy
        return self._policy


def _prober_of(store: RedisStore | None, clock: Clock, randomness: Randomness) -> Prober | None:
    return None if store is None else Prober(store.executor, store.breaker, clock, randomness)


class CachingContainer(ObservationContainer):
    """The stores of replies, and how requests are named in them."""

    fills = Singleton(Fills)
    response_cache = Selector(
        _Base.state,
        memory=Singleton(MemoryResponseCache, _Base.steady_clock, _cache.max_bytes, _cache.max_entry_bytes, fills),
        redis=Singleton(
            RedisResponseCache,
            _Base.stores.provided.cache.executor,
            _Base.redis_prefix,
            max_entry_bytes=_cache.max_entry_bytes,
        ),
    )
    caches_in_memory = Selector(_Base.state, memory=Object(True), redis=Object(False))
    flights = Selector(
        _Base.state,
        memory=Singleton(MemoryFlights, _Base.steady_clock, fills),
        redis=Singleton(RedisFlights, _Base.stores.provided.cache.executor, _Base.redis_prefix),
    )
    # Keys that make requests one: of no scope, purged by nobody, and never pushed out by what is merely cached.
    keyed_fills = Singleton(Fills)
    keyed_prefix = Callable("{}once:".format, _Base.redis_prefix)
    keyed_replies = Selector(
        _Base.state,
        memory=Singleton(
            MemoryResponseCache, _Base.steady_clock, _cache.max_keyed_bytes, _cache.max_entry_bytes, keyed_fills
        ),
        redis=Singleton(RedisResponseCache, _Base.redis_executor, keyed_prefix, max_entry_bytes=_cache.max_entry_bytes),
    )
    keyed_flights = Selector(
        _Base.state,
        memory=Singleton(MemoryFlights, _Base.steady_clock, keyed_fills),
        redis=Singleton(RedisFlights, _Base.redis_executor, keyed_prefix),
    )
    cache_keys = Singleton(CacheKeys, Singleton(HmacFingerprint), _Base.key_pepper.provided.value)
    cache_uses = Singleton(CacheUses, response_cache, _Base.clock)
    cache_routes = Callable(cache_routes, Singleton(AdministerCache, response_cache, _Base.noting))


def before(base: type[CachingContainer], hit_tools: Any, gate: Any, complete: Any, stream: Any) -> tuple[Any, Any, Any]:
    """The providers of what serves whole replies and streams, with the cache before `complete` and `stream`.

    And that of what has to be done beside the requests for it.
    """
    settings = base.settings.provided.cache
    hits = Singleton(Hits, hit_tools)

    def flights_of(cache: Any, flights: Any, complete: Any, stream: Any) -> Any:
        return Singleton(FlightsHere, cache, flights, base.clock, complete, stream, settings.max_entry_bytes)

    cached = flights_of(base.response_cache, base.flights, complete, stream)
    caching = Singleton(
        Caching,
        complete,
        stream,
        policy=Singleton(CachePolicyInForce, base.in_force),
        catalog_source=base.catalog_source,
        keys=base.cache_keys,
        cache=base.response_cache,
        flights=cached,
        hits=hits,
        coming_along=Singleton(ComingAlong, hits),
        uses=base.cache_uses,
        clock=base.clock,
        randomness=base.randomness,
        looks_first=base.caches_in_memory,
    )
    once = flights_of(base.keyed_replies, base.keyed_flights, caching.provided.complete, caching.provided.stream)
    idempotency = Singleton(
        Idempotency,
        caching.provided.complete,
        caching.provided.stream,
        catalog_source=base.catalog_source,
        keys=base.cache_keys,
        flights=once,
        hits=hits,
        clock=base.clock,
    )
    store = base.stores.provided.own_cache
    prober = Callable(_prober_of, store, base.clock, base.randomness)
    keeping = Singleton(ReplyKeeping, List(cached, once), base.cache_uses, store, prober, gate)
    return idempotency.provided.complete, idempotency.provided.stream, keeping
