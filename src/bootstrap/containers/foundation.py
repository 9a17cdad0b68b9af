"""What everything else in the container stands on: time, chance, configuration, stores."""

from pathlib import Path
from typing import Any

from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import Callable, Dependency, List, Object, Selector, Singleton

from adapters.inbound.http.use_cases import ProcessFacts
from adapters.outbound.memory.catalog_source import MemoryCatalogSource
from adapters.outbound.memory.event_history import MemoryEventHistory
from adapters.outbound.memory.gateway_registry import MemoryGatewayRegistry
from adapters.outbound.memory.lock import MemoryLock
from adapters.outbound.redis.ends import Ends
from adapters.outbound.redis.event_history import RedisEventHistory
from adapters.outbound.redis.event_sink import RedisEventSink
from adapters.outbound.redis.gateway_registry import RedisGatewayRegistry
from adapters.outbound.redis.lock import RedisLock
from adapters.outbound.system.clock import SystemClock
from adapters.outbound.system.randomness import SystemRandomness
from adapters.outbound.system.secrets import SystemSecrets
from adapters.outbound.telemetry.event_log import LogEventSink
from adapters.outbound.telemetry.event_metrics import EventMetrics
from adapters.outbound.telemetry.metric_board import MetricBoard
from application.fan_out import FanOut
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.reloads import LastReload
from application.store_watch import StoreWatch
from bootstrap.in_force import InForce
from bootstrap.price_lists import configured_price_list
from bootstrap.provider_wiring import CAPABILITIES
from bootstrap.settings import BUILT_TYPES, Settings, to_catalog
from bootstrap.stores import Stores, open_stores
from domain.durations import SECOND_US

_GATEWAY_ID_BITS = 64


def _state_of(stores: Stores) -> str:
    return "memory" if stores.redis is None else "redis"


def _kept_in(stores: Stores) -> str:
    return "memory" if stores.database is None else "sql"


def _now_s(clock: Clock) -> int:
    return clock.now_us() // SECOND_US


def _measures(settings: Settings) -> str:
    return "yes" if settings.observability.metrics else "no"


def _new_gateway_id(randomness: Randomness) -> str:
    return f"{randomness.bits(_GATEWAY_ID_BITS):016x}"


class FoundationContainer(DeclarativeContainer):
    """`settings` must be given. `state`: where gateways share what they decide by; `kept`: where what lasts is."""

    settings = Dependency(instance_of=Settings)
    facts = Object(ProcessFacts("lite", "embedded", "unknown"))
    data_dir: Object[Path | None] = Object(None)

    configured = Singleton(to_catalog, settings, BUILT_TYPES, CAPABILITIES)
    configured_prices = Singleton(configured_price_list, settings.provided.pricing)
    in_force = Singleton(InForce, settings, configured, configured_prices)
    reloaded_elsewhere: Object[Any] = Object(None)
    last_reload = Singleton(LastReload, reloaded_elsewhere)
    catalog_source = Singleton(MemoryCatalogSource, configured.provided.catalog, configured.provided.policy)

    clock = Singleton(SystemClock)
    started_s = Callable(_now_s, clock)
    randomness = Singleton(SystemRandomness)
    secrets = Singleton(SystemSecrets)

    stores = Singleton(open_stores, settings, facts.provided.mode, clock, data_dir)
    state = Callable(_state_of, stores)
    kept = Callable(_kept_in, stores)
    store_watch = Singleton(StoreWatch, stores.provided.probes, clock)
    redis_executor = stores.provided.redis.executor
    redis_prefix = settings.provided.redis.prefix
    redis_ends = Singleton(Ends, redis_executor, clock, stores.provided.redis.breaker)
    engine = stores.provided.database.engine

    gateway_id = Singleton(_new_gateway_id, randomness)
    gateway_registry = Selector(
        state,
        memory=Singleton(MemoryGatewayRegistry),
        redis=Singleton(RedisGatewayRegistry, redis_executor, redis_prefix, gateway_id, clock),
    )
    lock = Selector(
        state, memory=Singleton(MemoryLock, clock), redis=Singleton(RedisLock, redis_executor, redis_prefix)
    )
    event_log = Singleton(LogEventSink)
    # `serve` gives one that all workers share.
    metric_board = Singleton(MetricBoard)
    metric_page = Singleton(MetricBoard.begin, metric_board)
    measures = Callable(_measures, settings)
    event_metrics = Selector(measures, yes=Singleton(EventMetrics, metric_page), no=Singleton(FanOut, ()))
    redis_event_sink = Singleton(RedisEventSink, redis_executor, redis_prefix, clock, randomness)
    # Usage has a queue of its own: a flood of it must not push out what happens to circuits and budgets.
    redis_usage_events = Singleton(RedisEventSink, redis_executor, redis_prefix, clock, randomness)
    memory_events = Singleton(MemoryEventHistory, clock)
    event_sink = Selector(
        state,
        memory=Singleton(FanOut, List(event_log, memory_events, event_metrics)),
        redis=Singleton(FanOut, List(event_log, redis_event_sink, event_metrics)),
    )
    usage_event_sink = Selector(state, memory=memory_events, redis=redis_usage_events)
    event_history = Selector(
        state, memory=memory_events, redis=Singleton(RedisEventHistory, redis_executor, redis_prefix)
    )
