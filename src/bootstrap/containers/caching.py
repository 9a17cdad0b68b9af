"""Where replies are kept, and what a gateway does beside its requests for that."""

from dependency_injector.providers import Callable, Object, Selector, Singleton

from adapters.outbound.memory.fills import Fills
from adapters.outbound.memory.flights import MemoryFlights
from adapters.outbound.memory.response_cache import MemoryResponseCache
from adapters.outbound.redis.flights import RedisFlights
from adapters.outbound.redis.prober import Prober
from adapters.outbound.redis.response_cache import RedisResponseCache
from adapters.outbound.system.fingerprint import HmacFingerprint
from application.caching.cache_keys import CacheKeys
from application.caching.cache_uses import CacheUses
from bootstrap.containers.administration import AdministrationContainer
from bootstrap.stores import Stores

_Base = AdministrationContainer
_cache = _Base.settings.provided.cache


def _has_its_own(stores: Stores) -> str:
    return "none" if stores.own_cache is None else "redis"


class CachingContainer(AdministrationContainer):
    """The stores of replies, and how requests are named in them."""

    fills = Singleton(Fills)
    cache_executor = _Base.stores.provided.cache.executor
    response_cache = Selector(
        _Base.state,
        memory=Singleton(MemoryResponseCache, _Base.clock, _cache.max_bytes, _cache.max_entry_bytes, fills),
        redis=Singleton(RedisResponseCache, cache_executor, _Base.redis_prefix, max_entry_bytes=_cache.max_entry_bytes),
    )
    flights = Selector(
        _Base.state,
        memory=Singleton(MemoryFlights, _Base.clock, fills),
        redis=Singleton(RedisFlights, cache_executor, _Base.redis_prefix),
    )
    cache_keys = Singleton(CacheKeys, Singleton(HmacFingerprint), _Base.key_pepper.provided.value)
    cache_uses = Singleton(CacheUses, response_cache, _Base.clock)
    own_cache = Selector(Callable(_has_its_own, _Base.stores), none=Object(None), redis=_Base.stores.provided.own_cache)
    cache_prober = Selector(
        Callable(_has_its_own, _Base.stores),
        none=Object(None),
        redis=Singleton(
            Prober,
            cache_executor,
            _Base.stores.provided.own_cache.breaker,
            _Base.clock,
            _Base.randomness,
        ),
    )
