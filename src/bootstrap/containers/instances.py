"""What is called, how it is called, and how operators and health checks see and steer it."""

from dependency_injector.providers import Callable, Object, Selector, Singleton

from adapters.inbound.http.use_cases import InstanceUseCases
from adapters.outbound.memory.health_store import MemoryHealthStore
from adapters.outbound.memory.instance_control import MemoryInstanceControl
from adapters.outbound.memory.instance_states import InstanceStates
from adapters.outbound.memory.lock import MemoryLock
from adapters.outbound.memory.steady_clock import SteadyClock
from adapters.outbound.providers.directory import CurrentProviders
from adapters.outbound.providers.lazy_transport import LazyTransport
from adapters.outbound.providers.transport import AiohttpUpstream
from adapters.outbound.redis.health_store import RedisHealthStore
from adapters.outbound.redis.instance_control import RedisInstanceControl
from application.health.health_rounds import HealthRounds
from application.use_cases.check_health import LONGEST_CHECK_US, CheckHealth, CheckInstance
from application.use_cases.control_instances import DrainInstance, ForceCircuit
from application.use_cases.list_instances import ListInstances
from bootstrap.containers.measurement import MeasurementContainer
from bootstrap.health_checks import HealthChecks
from bootstrap.provider_wiring import configured_providers
from domain.health_report import REPORT_TTL_US

_Base = MeasurementContainer
_set = _Base.settings.provided


def _timeout_us(interval_us: int) -> int:
    """Long enough for a slow provider, and over well before the next check."""
    return min(LONGEST_CHECK_US, interval_us // 2 or LONGEST_CHECK_US)


def _ttl_us(interval_us: int) -> int:
    """Long enough for the next check to come, and the one after it."""
    return max(REPORT_TTL_US, 3 * interval_us)


class InstanceContainer(MeasurementContainer):
    """Instances and their providers."""

    instance_states = Singleton(InstanceStates)
    instance_control = Selector(
        _Base.state,
        memory=Singleton(MemoryInstanceControl, instance_states, _Base.clock, _Base.event_sink),
        redis=Singleton(RedisInstanceControl, _Base.redis_executor, _Base.clock, _Base.event_sink, _Base.redis_prefix),
    )
    transport = Singleton(LazyTransport, Object(AiohttpUpstream.open))
    provider_directory = Singleton(
        CurrentProviders,
        Callable(configured_providers, _Base.configured.provided.providers, transport, _Base.clock, _Base.randomness),
    )

    steady_clock = Singleton(SteadyClock, _Base.clock)
    health_store = Selector(
        _Base.state,
        memory=Singleton(MemoryHealthStore, steady_clock),
        redis=Singleton(RedisHealthStore, _Base.redis_executor, _Base.redis_prefix),
    )
    health_lock = Selector(_Base.state, memory=Singleton(MemoryLock, steady_clock), redis=_Base.lock)
    health_interval_us = _set.router.health_check_interval_us
    check_health = Singleton(
        CheckHealth,
        providers=provider_directory,
        health=health_store,
        instance_control=instance_control,
        clock=_Base.clock,
        timeout_us=Callable(_timeout_us, health_interval_us),
        ttl_us=Callable(_ttl_us, health_interval_us),
    )
    # Its `known` is what this process last heard of each instance, without I/O.
    health_rounds = Singleton(
        HealthRounds,
        _Base.catalog_source,
        check_health,
        health_lock,
        _Base.clock,
        _Base.randomness,
        health_interval_us,
    )
    health_checks = Singleton(HealthChecks, health_rounds, health_interval_us)

    instances = Singleton(
        InstanceUseCases,
        list=Singleton(ListInstances, _Base.catalog_source, instance_control, health_store),
        drain=Singleton(DrainInstance, _Base.catalog_source, instance_control, health_store),
        force=Singleton(ForceCircuit, _Base.catalog_source, instance_control, health_store),
        check=Singleton(CheckInstance, _Base.catalog_source, check_health, health_lock, _Base.clock, _Base.randomness),
    )
