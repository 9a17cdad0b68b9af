"""The composition root: the one place that names concrete adapters.

Every port is a provider here and can be replaced: `Container(settings=…, clock=providers.Object(mine))`.
"""

from typing import Any

from dependency_injector.providers import Callable, Factory, List, Object, Selector, Singleton

from adapters.inbound.http.admin.blueprint import AdminApi
from adapters.inbound.http.admin.circuits import circuit_routes
from adapters.inbound.http.admin.instances import instance_routes
from adapters.inbound.http.admin.models import model_routes
from adapters.inbound.http.admin.reload import reload_routes
from adapters.inbound.http.app import create_http_app
from adapters.inbound.http.front_door import FrontDoor
from adapters.inbound.http.receiving import BodyLimits
from adapters.outbound.memory.routing import MemoryRouting
from adapters.outbound.redis.prober import Prober
from adapters.outbound.redis.routing import RedisRouting
from application.active_attempt import AttemptTools
from application.attempt_admission import AttemptAdmission
from application.caching.hits import HitTools
from application.caller_gate import CallerGate
from application.degrading.degrading_routing import DegradingRouting
from application.dispatch import Dispatch
from application.fan_out import Observers
from application.lease_keeper import LeaseKeeper
from application.local_turns import LocalTurns
from application.selection import Selection
from application.use_cases.admin.catalog import ReadCatalog
from application.use_cases.complete import Complete
from application.use_cases.stream import Stream
from bootstrap.bookkeeping import Bookkeeping
from bootstrap.containers.caching import CachingContainer, before
from bootstrap.containers.reloading import reloading
from bootstrap.lifespan import Lifespan, application
from bootstrap.measuring import Measuring
from bootstrap.metric_sources import Circuits
from bootstrap.provider_wiring import instances_of
from bootstrap.shared_state import SharedState

_Base = CachingContainer
_set = _Base.settings.provided


class Container(CachingContainer):
    """One gateway process. `settings` and `master_key` must be given; all else has a default."""

    redis_routing = Singleton(
        RedisRouting,
        _Base.redis_executor,
        _Base.breaker,
        _Base.clock,
        _Base.event_sink,
        _Base.redis_prefix,
        known=Callable(instances_of, _Base.catalog_source).provider,
        ends=_Base.redis_ends,
    )
    routing = Selector(
        _Base.state,
        memory=Singleton(MemoryRouting, _Base.breaker, _Base.clock, _Base.event_sink, _Base.instance_states),
        redis=Singleton(
            DegradingRouting,
            Selector(
                _set.router.weighted_round_robin,
                strict=redis_routing,
                local=Singleton(LocalTurns, redis_routing, _Base.randomness, _Base.clock),
            ),
            Factory(MemoryRouting, _Base.breaker, _Base.clock, _Base.event_sink).provider,
            _Base.gateway_registry,
            _Base.clock,
        ),
    )

    caller_gate = Singleton(
        CallerGate,
        _Base.caller_admission,
        routing,
        _set.rate_limit.policy,
        _Base.clock,
        _Base.reserving,
    )

    leases = Singleton(LeaseKeeper, routing, _Base.clock)
    attempt_tools = Singleton(
        AttemptTools,
        routing=routing,
        leases=leases,
        clock=_Base.clock,
        randomness=_Base.randomness,
    )
    # Each is told of every request: its story, its HTTP side.
    observers = List(_Base.decision_log, _Base.request_metrics, _Base.exchanges)
    on_answered = List(_Base.http_metrics, _Base.exchanges.provided.answered)
    dispatch = Singleton(
        Dispatch,
        catalog_source=_Base.catalog_source,
        providers=_Base.provider_directory,
        decisions=_Base.decision_log,
        retry_budgets=_Base.retry_budgets,
        admission=Singleton(AttemptAdmission, routing, caller_gate, _Base.reserving, _Base.clock),
        selection=Singleton(Selection, routing=routing, randomness=_Base.randomness, prices=_Base.prices),
        billing=_Base.billing,
        tools=attempt_tools,
        observer=Singleton(Observers, observers),
    )
    hit_tools = Singleton(
        HitTools, caller_gate, _Base.journaling, _Base.decision_log, Singleton(Observers, observers), _Base.clock
    )
    complete, stream, reply_keeping = before(
        _Base, hit_tools, caller_gate, Singleton(Complete, dispatch), Singleton(Stream, dispatch)
    )

    reread: Object[Any] = Object(None)
    ask_supervisor: Object[Any] = Object(None)
    read_candidate, reloading = reloading(_Base, reread, ask_supervisor, routing, caller_gate)

    admin_api = Singleton(
        AdminApi.of,
        _Base.find_principal,
        _Base.key_routes,
        _Base.team_routes,
        _Base.member_routes,
        _Base.user_routes,
        _Base.budget_routes,
        _Base.price_routes,
        _Base.audit_routes,
        _Base.usage_routes,
        _Base.dead_letter_routes,
        _Base.event_routes,
        _Base.limit_routes,
        _Base.status_routes,
        _Base.cache_routes,
        _Base.debug_routes,
        Callable(reload_routes, reloading.provided.everywhere, _Base.noting),
        _Base.decision_routes,
        Callable(instance_routes, _Base.instances, _Base.noting),
        Callable(circuit_routes, _Base.instances.provided.list),
        Callable(
            model_routes,
            Singleton(ReadCatalog, _Base.catalog_source, _Base.instances.provided.list, _Base.prices.provided.price_of),
        ),
    )

    front_door = Singleton(
        FrontDoor,
        authenticator=_Base.authenticator,
        clock=_Base.clock,
        randomness=_Base.randomness,
        limits=Factory(BodyLimits, max_body_bytes=_set.server.max_body_bytes),
        in_flight=_Base.in_flight,
        trusted_proxies=_set.auth.trusted_networks,
        on_answered=on_answered,
        keeps_bodies=_Base.debug_bodies.provided.keeps,
    )
    http_app = Singleton(
        create_http_app,
        front_door,
        complete=complete,
        stream=stream,
        list_models=_Base.list_models,
        find_model=_Base.list_models.provided.find,
        pass_by=caller_gate.provided.pass_by,
        check_readiness=_Base.check_readiness,
        admin=admin_api,
        facts=_Base.facts,
        scrape=_Base.scrape,
    )
    shared_state = Selector(
        _Base.state,
        memory=Object(None),
        redis=Singleton(
            SharedState,
            store=_Base.stores.provided.redis,
            routing=redis_routing,
            events=_Base.redis_event_sink,
            usage_events=_Base.redis_usage_events,
            registry=_Base.gateway_registry,
            prober=Singleton(
                Prober, _Base.redis_executor, _Base.stores.provided.redis.breaker, _Base.clock, _Base.randomness
            ),
            clock=_Base.clock,
        ),
    )
    bookkeeping = Singleton(
        Bookkeeping,
        database=_Base.stores.provided.database,
        feed=_Base.change_feed,
        prices=_Base.prices,
        pipeline=_Base.usage_pipeline,
        journaling=_Base.journaling,
        reserving=_Base.reserving,
        spends=_Base.spends,
        reconciliation=_Base.reconciliation,
        clock=_Base.clock,
    )
    measuring = Selector(
        _Base.measures,
        yes=Singleton(
            Measuring,
            _Base.metric_page,
            _Base.metric_sampling,
            _Base.loop_lag,
            Singleton(Circuits, _Base.catalog_source, routing),
            _Base.stores.provided.redis,
        ),
        no=Object(None),
    )
    lifespan = Singleton(
        Lifespan,
        leases=leases,
        gate=caller_gate,
        transport=_Base.transport,
        stores=_Base.stores,
        store_watch=_Base.store_watch,
        clock=_Base.clock,
        parts=List(
            shared_state,
            bookkeeping,
            measuring,
            _Base.health_checks,
            Selector(_Base.state, memory=Object(None), redis=_Base.redis_decision_log),
            _Base.observation,
            reply_keeping,
        ),
    )
    app = Singleton(application, http_app, lifespan)
