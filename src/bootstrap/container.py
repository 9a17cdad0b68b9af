"""The composition root: the one place that names concrete adapters.

Every port is a provider here and can be replaced: `Container(settings=…, clock=providers.Object(mine))`.
"""

from collections.abc import Iterable

from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import Callable, Dependency, Factory, List, Object, Selector, Singleton

from adapters.inbound.http.admin.blueprint import AdminApi
from adapters.inbound.http.admin.decisions import decision_routes
from adapters.inbound.http.admin.instances import instance_routes
from adapters.inbound.http.app import create_http_app
from adapters.inbound.http.asgi import FrontDoor
from adapters.inbound.http.in_flight import InFlight
from adapters.inbound.http.receiving import BodyLimits
from adapters.inbound.http.use_cases import InstanceUseCases, ProcessFacts
from adapters.outbound.memory.admin_store import MemoryAdminStore
from adapters.outbound.memory.admission import MemoryAdmission
from adapters.outbound.memory.authenticator import MemoryAuthenticator
from adapters.outbound.memory.catalog_source import MemoryCatalogSource
from adapters.outbound.memory.decision_log import MemoryDecisionLog
from adapters.outbound.memory.instance_control import MemoryInstanceControl
from adapters.outbound.memory.instance_states import InstanceStates
from adapters.outbound.memory.routing import MemoryRouting
from adapters.outbound.memory.tenants import MemoryTenants
from adapters.outbound.providers.lazy_transport import LazyTransport
from adapters.outbound.providers.transport import AiohttpUpstream
from adapters.outbound.redis.admission import RedisAdmission
from adapters.outbound.redis.ends import Ends
from adapters.outbound.redis.event_sink import RedisEventSink
from adapters.outbound.redis.gateway_registry import RedisGatewayRegistry
from adapters.outbound.redis.instance_control import RedisInstanceControl
from adapters.outbound.redis.prober import Prober
from adapters.outbound.redis.routing import RedisRouting
from adapters.outbound.system.clock import SystemClock
from adapters.outbound.system.randomness import SystemRandomness
from adapters.outbound.telemetry.event_log import LogEventSink
from application.active_attempt import AttemptTools
from application.attempt_admission import AttemptAdmission
from application.caller_gate import CallerGate
from application.degrading_admission import DegradingAdmission
from application.degrading_routing import DegradingRouting
from application.dispatch import Dispatch
from application.draining import Draining
from application.fan_out import FanOut
from application.lease_keeper import LeaseKeeper
from application.local_turns import LocalTurns
from application.ports.catalog_source import CatalogSource
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.retry_budgets import RetryBudgets
from application.selection import Selection
from application.store_watch import StoreWatch
from application.use_cases.admin.find_principal import FindPrincipal
from application.use_cases.check_readiness import CheckReadiness
from application.use_cases.complete import Complete
from application.use_cases.control_instances import DrainInstance, ForceCircuit
from application.use_cases.list_instances import ListInstances
from application.use_cases.list_models import ListModels
from application.use_cases.stream import Stream
from bootstrap.lifespan import Lifespan, application
from bootstrap.provider_wiring import SUPPORTS, configured_providers
from bootstrap.settings import BUILT_TYPES, Settings, to_catalog
from bootstrap.shared_state import SharedState
from bootstrap.stores import Stores, open_stores
from domain.catalog import Instance

_US_PER_SECOND = 1_000_000
_GATEWAY_ID_BITS = 64


def _now_s(clock: Clock) -> int:
    return clock.now_us() // _US_PER_SECOND


def _state_of(stores: Stores) -> str:
    return "memory" if stores.redis is None else "redis"


def _instances_of(source: CatalogSource) -> Iterable[Instance]:
    return source.current()[0].all_instances()


def _new_gateway_id(randomness: Randomness) -> str:
    return f"{randomness.bits(_GATEWAY_ID_BITS):016x}"


class Container(DeclarativeContainer):
    """One gateway process. `settings` and `master_key` must be given; all else has a default."""

    settings = Dependency(instance_of=Settings)
    master_key = Dependency(instance_of=str)
    facts = Object(ProcessFacts("lite", "embedded", "unknown"))

    configured = Singleton(to_catalog, settings, BUILT_TYPES, SUPPORTS)
    breaker = Callable(lambda settings: settings.router.circuit_breaker.to_domain(), settings)
    retry_budget = Callable(lambda settings: settings.router.retry_budget.to_domain(), settings)

    clock = Singleton(SystemClock)
    randomness = Singleton(SystemRandomness)

    stores = Singleton(open_stores, settings, facts.provided.mode, clock)
    state = Callable(_state_of, stores)
    store_watch = Singleton(StoreWatch, stores.provided.probes, clock)
    redis_executor = stores.provided.redis.executor
    redis_prefix = settings.provided.redis.prefix

    event_log = Singleton(LogEventSink)
    redis_event_sink = Singleton(RedisEventSink, redis_executor, redis_prefix, clock, randomness)
    event_sink = Selector(state, memory=event_log, redis=Singleton(FanOut, List(event_log, redis_event_sink)))
    decision_log = Singleton(MemoryDecisionLog)
    authenticator = Singleton(MemoryAuthenticator, master_key, require_auth=settings.provided.auth.require_auth)
    catalog_source = Singleton(MemoryCatalogSource, configured.provided.catalog, configured.provided.policy)
    instance_states = Singleton(InstanceStates)
    gateway_registry = Singleton(
        RedisGatewayRegistry, redis_executor, redis_prefix, Callable(_new_gateway_id, randomness), clock
    )
    redis_ends = Singleton(Ends, redis_executor, clock, stores.provided.redis.breaker)
    redis_routing = Singleton(
        RedisRouting,
        redis_executor,
        breaker,
        clock,
        event_sink,
        redis_prefix,
        known=Callable(_instances_of, catalog_source).provider,
        ends=redis_ends,
    )
    routing = Selector(
        state,
        memory=Singleton(MemoryRouting, breaker, clock, event_sink, instance_states),
        redis=Singleton(
            DegradingRouting,
            Selector(
                settings.provided.router.weighted_round_robin,
                strict=redis_routing,
                local=Singleton(LocalTurns, redis_routing, randomness, clock),
            ),
            Factory(MemoryRouting, breaker, clock, event_sink).provider,
            gateway_registry,
            clock,
        ),
    )
    instance_control = Selector(
        state,
        memory=Singleton(MemoryInstanceControl, instance_states, clock, event_sink),
        redis=Singleton(RedisInstanceControl, redis_executor, clock, event_sink, redis_prefix),
    )
    transport = Singleton(LazyTransport, Object(AiohttpUpstream.open))
    provider_directory = Singleton(configured_providers, configured.provided.providers, transport, clock, randomness)

    draining = Singleton(Draining)
    redis_admission = Singleton(RedisAdmission, redis_executor, redis_prefix, ends=redis_ends)
    caller_admission = Selector(
        state,
        memory=Singleton(MemoryAdmission, clock),
        redis=Singleton(
            DegradingAdmission,
            redis_admission,
            Singleton(MemoryAdmission, clock),
            gateway_registry,
            settings.provided.rate_limit.failure_policy,
        ),
    )
    caller_gate = Singleton(CallerGate, caller_admission, routing, settings.provided.rate_limit.policy, clock)

    leases = Singleton(LeaseKeeper, routing, clock)
    attempt_tools = Singleton(
        AttemptTools,
        routing=routing,
        leases=leases,
        clock=clock,
        randomness=randomness,
        slow_call_duration_us=breaker.provided.slow_call_duration_us,
    )
    dispatch = Singleton(
        Dispatch,
        catalog_source=catalog_source,
        providers=provider_directory,
        decisions=decision_log,
        retry_budgets=Singleton(RetryBudgets, retry_budget),
        admission=Singleton(AttemptAdmission, routing, caller_gate, clock),
        selection=Singleton(Selection, routing=routing, randomness=randomness, breaker=breaker),
        tools=attempt_tools,
    )
    complete = Singleton(Complete, dispatch)
    stream = Singleton(Stream, dispatch)
    list_models = Singleton(ListModels, catalog_source, Callable(_now_s, clock))
    check_readiness = Singleton(CheckReadiness, catalog_source, draining, store_watch)

    instances = Singleton(
        InstanceUseCases,
        list=Singleton(ListInstances, catalog_source, instance_control),
        drain=Singleton(DrainInstance, catalog_source, instance_control),
        force=Singleton(ForceCircuit, catalog_source, instance_control),
    )

    admin_api = Singleton(
        AdminApi.of,
        Singleton(FindPrincipal, Singleton(MemoryAdminStore, Singleton(MemoryTenants), clock)),
        Callable(decision_routes, decision_log.provided.find),
        Callable(instance_routes, instances),
    )

    in_flight = Singleton(InFlight)
    front_door = Singleton(
        FrontDoor,
        authenticator=authenticator,
        clock=clock,
        randomness=randomness,
        limits=Factory(BodyLimits, max_body_bytes=settings.provided.server.max_body_bytes),
        in_flight=in_flight,
        trusted_proxies=settings.provided.auth.trusted_networks,
    )
    http_app = Singleton(
        create_http_app,
        front_door,
        complete=complete,
        stream=stream,
        list_models=list_models,
        find_model=list_models.provided.find,
        check_readiness=check_readiness,
        admin=admin_api,
        facts=facts,
    )
    shared_state = Selector(
        state,
        memory=Object(None),
        redis=Singleton(
            SharedState,
            store=stores.provided.redis,
            routing=redis_routing,
            events=redis_event_sink,
            registry=gateway_registry,
            prober=Singleton(Prober, redis_executor, stores.provided.redis.breaker, clock, randomness),
            clock=clock,
        ),
    )
    lifespan = Singleton(
        Lifespan,
        leases=leases,
        gate=caller_gate,
        transport=transport,
        stores=stores,
        store_watch=store_watch,
        clock=clock,
        shared=shared_state,
    )
    app = Singleton(application, http_app, lifespan)
