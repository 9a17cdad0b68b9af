"""What a collector is told of models: configured names only."""

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from adapters.outbound.memory.catalog_source import MemoryCatalogSource
from adapters.outbound.telemetry.genai_metrics import GenAiMetrics
from adapters.outbound.telemetry.known_names import KnownNames
from adapters.outbound.telemetry.story import Story
from domain.catalog import Catalog, RouterPolicy
from tests.unit.dispatch.gateway import member, models
from tests.unit.telemetry.support import answered, trace


def requested(reader: InMemoryMetricReader) -> set[object]:
    data = reader.get_metrics_data()
    assert data is not None
    metrics = [each for resource in data.resource_metrics for scope in resource.scope_metrics for each in scope.metrics]
    (requests,) = [each for each in metrics if each.name == "gen_ai.server.request.duration"]
    return {(point.attributes or {}).get("gen_ai.request.model") for point in requests.data.data_points}


def test_model_of_a_request_is_a_configured_name_or_other() -> None:
    reader, catalog = InMemoryMetricReader(), Catalog(models(member("gpt-4", "a")))
    meters = MeterProvider([reader], shutdown_on_exit=False)
    names = KnownNames(MemoryCatalogSource(catalog, RouterPolicy()))
    metrics = GenAiMetrics(meters.get_meter("test"), names)

    for name in ("gpt-4", "a-name-of-a-key", "another"):
        story = trace()
        story.requested_model = name
        metrics.record(Story(answered(), story, 2_000_000))

    assert requested(reader) == {"gpt-4", "other"}
    meters.shutdown()
