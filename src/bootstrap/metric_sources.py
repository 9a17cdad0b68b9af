"""Where each gauge is read, and each count that somebody else keeps."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from adapters.inbound.http.in_flight import InFlight
from adapters.inbound.http.use_cases import ProcessFacts
from adapters.outbound.redis.event_sink import RedisEventSink
from adapters.outbound.telemetry import process_metrics_declared as declared
from adapters.outbound.telemetry.metric_page import Labels
from adapters.outbound.telemetry.metric_sampling import Gauges, Totals, by_label, one
from adapters.outbound.telemetry.process_resources import cpu_s, open_files, resident_bytes
from application.billing.billing import PATHS
from application.billing.journaling import Journaling
from application.errors import StateUnavailable
from application.ports.catalog_source import CatalogSource
from application.ports.gateway_registry import GatewayRegistry
from application.ports.routing import Routing
from application.ports.usage_stream import UsageStream
from application.spending.spends import Spends
from application.store_watch import StoreWatch
from application.usage.deliver_usage import DeliverUsage
from bootstrap.stores import Stores
from domain.latency import LatencyKind
from domain.resilience.circuit import CircuitState
from domain.usage_stream import UsageDepth

_OK = "ok"
# By the end of the path, whatever stands before it; the longer one first.
_ENDS = {path.removeprefix("/v1"): endpoint.value for endpoint, path in PATHS.items()}
_ADMIN, _OTHER = "admin", "other"


@dataclass(slots=True)
class UsageDepths:
    """How many usage records all gateways have between them, as the stream said when it was asked last."""

    stream: UsageStream
    said: UsageDepth | None = field(init=False, default=None)

    async def look(self) -> None:
        """Asks it. None where it does not answer."""
        try:
            self.said = await self.stream.depth()
        except StateUnavailable:
            self.said = None

    def shown(self) -> Mapping[Labels, float]:
        """By state."""
        if self.said is None:
            return {}
        return by_label([("waiting", self.said.waiting), ("pending", self.said.pending), ("dead", self.said.dead)])


@dataclass(frozen=True, slots=True)
class Measured:
    """Whom gauges are read from."""

    facts: ProcessFacts
    in_flight: InFlight
    journaling: Journaling
    deliver: DeliverUsage
    depths: UsageDepths
    spends: Spends
    stores: Stores
    store_watch: StoreWatch
    registry: GatewayRegistry
    event_sinks: Sequence[RedisEventSink] = ()

    def gauges(self) -> Gauges:
        """All of them."""
        return {
            declared.IN_FLIGHT: self._in_flight,
            declared.USAGE_UNWRITTEN: lambda: one(self.journaling.waiting),
            declared.USAGE_ON_THE_WAY: lambda: one(self.deliver.on_the_way),
            declared.USAGE_STREAM: self.depths.shown,
            declared.SPENDS: lambda: one(self.spends.remembered),
            declared.STORE_UP: lambda: by_label((name, said == _OK) for name, said in self.store_watch.said().items()),
            declared.GATEWAYS: lambda: _known(self.registry.count()),
            declared.WORKERS: lambda: one(1),
            declared.RESIDENT: lambda: _known(resident_bytes()),
            declared.OPEN_FILES: lambda: _known(open_files()),
            declared.BUILD: lambda: {(self.facts.version, self.facts.mode): 1},
            **self._of_redis(),
            **self._of_database(),
        }

    def totals(self) -> Totals:
        """What others count."""
        return {
            declared.CPU: cpu_s,
            declared.USAGE_LOST: lambda: self.journaling.lost,
            declared.EVENTS_DROPPED: lambda: sum(sink.dropped for sink in self.event_sinks),
        }

    def _of_redis(self) -> Gauges:
        redis = self.stores.redis
        if redis is None:
            return {}
        return {
            declared.REDIS_IN_FLIGHT: lambda: one(redis.executor.unanswered),
            declared.REDIS_BREAKER: lambda: one(redis.breaker.is_open),
            declared.EVENTS_WAITING: lambda: one(sum(sink.waiting for sink in self.event_sinks)),
        }

    def _of_database(self) -> Gauges:
        database = self.stores.database
        if database is None:
            return {}
        pool = database.pool_state
        return {
            declared.DATABASE_POOL: lambda: one(pool().size),
            declared.DATABASE_CONNECTIONS: lambda: by_label([("in_use", pool().in_use), ("idle", pool().idle)]),
            declared.DATABASE_WAITING: lambda: one(pool().waiting),
        }

    def _in_flight(self) -> Mapping[Labels, float]:
        counted = Counter(map(endpoint_of, self.in_flight.paths()))
        return by_label((name, counted[name]) for name in (*_ENDS.values(), _ADMIN, _OTHER))


@dataclass(frozen=True, slots=True)
class Circuits:
    """How the circuits stand that this process routes by."""

    catalog_source: CatalogSource
    routing: Routing

    def shown(self) -> Mapping[Labels, float]:
        """By instance and state."""
        catalog, _ = self.catalog_source.current()
        shown: dict[Labels, float] = {}
        for instance in catalog.all_instances():
            now = self.routing.view(instance, LatencyKind.WHOLE).circuit
            shown |= {(instance.id, state.value): state is now for state in CircuitState}
        return shown


def endpoint_of(path: str) -> str:
    """What is asked at a path that a client sent, in one of a few words."""
    found = next((name for end, name in _ENDS.items() if path.endswith(end)), None)
    return found or (_ADMIN if path.startswith("/admin/") else _OTHER)


def _known(value: float | None) -> Mapping[Labels, float]:
    return {} if value is None else one(value)
