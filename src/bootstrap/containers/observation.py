"""What tells operators of each request: log, traces, and for a while its bodies."""

from dependency_injector.providers import Callable, List, Singleton

from adapters.inbound.http.admin.debug import debug_routes
from adapters.outbound.telemetry.access_log import AccessLog
from adapters.outbound.telemetry.known_names import KnownNames
from application.debug_bodies import DebugBodies
from application.exchanges import Exchanges
from bootstrap.containers.serving import ServingContainer
from bootstrap.observation import Observation, configured_collector

_Base = ServingContainer


class ObservationContainer(ServingContainer):
    """Each HTTP request is told of here once, at its end, with the story of what it asked a model."""

    debug_bodies = Singleton(DebugBodies, _Base.deed_log, _Base.audit_log, _Base.clock)
    debug_routes = Callable(debug_routes, debug_bodies)
    access_log = Singleton(AccessLog, _Base.redactor)
    collector = Singleton(
        configured_collector,
        _Base.settings.provided.observability.otlp_endpoint,
        _Base.facts.provided.version,
        _Base.gateway_id,
        _Base.redactor,
        _Base.clock,
        Singleton(KnownNames, _Base.catalog_source),
    )
    exchanges = Singleton(Exchanges, _Base.memory_decision_log.provided.kept, List(access_log, collector))
    observation = Singleton(Observation, _Base.change_feed, debug_bodies, collector)
