"""What is counted and measured, and who collects it."""

from dependency_injector.providers import List, Object, Selector, Singleton

from adapters.inbound.http.answered import Answered
from adapters.inbound.http.in_flight import InFlight
from adapters.outbound.telemetry.http_metrics import HttpMetrics
from adapters.outbound.telemetry.loop_lag import LoopLag
from adapters.outbound.telemetry.metric_sampling import MetricSampling
from adapters.outbound.telemetry.request_metrics import RequestMetrics
from adapters.outbound.telemetry.scraping import Scraping
from application.fan_out import Observers
from bootstrap.containers.administration import AdministrationContainer
from bootstrap.metric_sources import Measured, UsageDepths

_Base = AdministrationContainer


def _not_counted(_: Answered) -> None:
    """Metrics are turned off."""


class MeasurementContainer(AdministrationContainer):
    """Metrics. `scrape` is None, and nothing is counted, where they are turned off."""

    in_flight = Singleton(InFlight)

    request_metrics = Selector(
        _Base.measures,
        yes=Singleton(RequestMetrics, _Base.metric_page, _Base.catalog_source),
        no=Singleton(Observers),
    )
    http_metrics = Selector(_Base.measures, yes=Singleton(HttpMetrics, _Base.metric_page), no=Object(_not_counted))

    usage_depths = Singleton(UsageDepths, _Base.usage_stream)
    measured = Singleton(
        Measured,
        facts=_Base.facts,
        in_flight=in_flight,
        journaling=_Base.journaling,
        deliver=_Base.deliver_usage,
        depths=usage_depths,
        spends=_Base.spends,
        stores=_Base.stores,
        store_watch=_Base.store_watch,
        registry=_Base.gateway_registry,
        event_sinks=Selector(
            _Base.state, memory=Object(()), redis=List(_Base.redis_event_sink, _Base.redis_usage_events)
        ),
    )
    metric_sampling = Singleton(
        MetricSampling, _Base.metric_page, measured.provided.gauges.call(), measured.provided.totals.call(), _Base.clock
    )
    loop_lag = Singleton(LoopLag, _Base.metric_page, _Base.clock)
    scrape = Selector(
        _Base.measures,
        yes=Singleton(Scraping, _Base.metric_board, metric_sampling, usage_depths.provided.look),
        no=Object(None),
    )
