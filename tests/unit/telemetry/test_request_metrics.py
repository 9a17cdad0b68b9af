"""What is counted of one request's story."""

from dataclasses import replace

import pytest

from adapters.inbound.http.answered import Answered
from adapters.outbound.memory.catalog_source import MemoryCatalogSource
from adapters.outbound.telemetry import request_metrics_declared as declared
from adapters.outbound.telemetry.exposition import merged
from adapters.outbound.telemetry.http_metrics import HttpMetrics
from adapters.outbound.telemetry.metric import Metric
from adapters.outbound.telemetry.metric_board import MetricBoard
from adapters.outbound.telemetry.metric_page import Labels
from adapters.outbound.telemetry.request_metrics import RequestMetrics
from domain.catalog import Catalog, Route, RouteModel, RouterPolicy
from domain.chat import Usage
from domain.identifiers import InstanceId, ModelName, RequestId, RouteSlug
from domain.routing.decision import AttemptTrace, DecisionTrace, Exclusion, Refusal
from domain.routing.strategy import StrategyName
from tests.unit.dispatch.gateway import member, models

GPT = ModelName("gpt")
CATALOG = Catalog(
    models(member("gpt", "a"), member("gpt", "b")),
    aliases={"gpt-latest": GPT},
    routes={RouteSlug("fast"): Route(RouteSlug("fast"), "fast", StrategyName.PRIORITY, (RouteModel(GPT),))},
)


def attempt(number: int, name: str, outcome: str = "success", **more: object) -> AttemptTrace:
    made = AttemptTrace(number, GPT, InstanceId(name), "custom", 100_000, duration_us=400_000, outcome=outcome)
    return replace(made, **more)  # type: ignore[arg-type]


def story(*attempts: AttemptTrace, model: str = "gpt", outcome: str = "success", **more: object) -> DecisionTrace:
    made = DecisionTrace(
        RequestId("r"), model, "chat", stream=False, started_us=0, outcome=outcome, finished_us=1_000_000
    )
    made.attempts = list(attempts)
    made.models_visited = [GPT]
    return replace(made, **more)  # type: ignore[arg-type]


class Counted:
    """A page, and what it says."""

    def __init__(self, catalog: Catalog = CATALOG) -> None:
        self._board = MetricBoard()
        self.page = self._board.begin()
        self.source = MemoryCatalogSource(catalog, RouterPolicy())
        self.metrics = RequestMetrics(self.page, self.source)

    def of(self, metric: Metric) -> dict[Labels, list[float]]:
        return merged(self._board.pages()).get(metric, {})


@pytest.fixture
def counted() -> Counted:
    return Counted()


def test_names_of_the_configuration_are_told_and_all_others_are_other(counted: Counted) -> None:
    for name in ("gpt", "gpt-latest", "fast", "made-up", "", "another\n"):
        counted.metrics.finished(story(model=name))

    seen = {labels[1]: value for labels, (value,) in counted.of(declared.REQUESTS).items()}
    assert seen == {"gpt": 1.0, "gpt-latest": 1.0, "fast": 1.0, "other": 3.0}


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("success", "success"),
        ("cancelled", "cancelled"),
        ("stream_broken", "stream_broken"),
        ("RateLimited", "rate_limited"),
        ("NoInstanceAvailable", "no_instance_available"),
        ("KeyError", "error"),
        ("", "error"),
    ],
)
def test_outcome_is_one_of_a_few_words(counted: Counted, outcome: str, said: str) -> None:
    counted.metrics.finished(story(outcome=outcome))

    assert list(counted.of(declared.REQUESTS)) == [("chat", "gpt", said)]


def test_overhead_is_what_attempts_did_not_take(counted: Counted) -> None:
    counted.metrics.finished(story(attempt(1, "a", "timeout"), attempt(2, "b")))

    *_, overhead_s = counted.of(declared.GATEWAY_OVERHEAD)["chat",]
    *_, whole_s = counted.of(declared.REQUEST_DURATION)["chat", "gpt", "false"]
    assert overhead_s == pytest.approx(0.2)
    assert whole_s == 1.0


def test_first_token_is_waited_for_from_the_arrival_and_of_streams_alone(counted: Counted) -> None:
    counted.metrics.finished(story(attempt(1, "a", first_content_us=50_000), stream=True))
    counted.metrics.finished(story(attempt(1, "a", "timeout"), outcome="DeadlineExceeded", stream=True))
    counted.metrics.finished(story(attempt(1, "a")))

    *counts, waited_s = counted.of(declared.TIME_TO_FIRST_TOKEN)["gpt",]
    assert sum(counts) == 1.0
    assert waited_s == pytest.approx(0.15)


def test_next_attempt_is_a_retry_or_a_failover(counted: Counted) -> None:
    attempts = [attempt(number, name) for number, name in enumerate("aabba", 1)]

    counted.metrics.finished(story(*attempts, models_visited=[GPT, ModelName("x"), ModelName("y")]))

    assert counted.of(declared.RETRIES) == {("gpt",): [2.0]}
    assert counted.of(declared.FAILOVERS) == {("gpt",): [2.0]}
    assert counted.of(declared.FALLBACKS) == {("gpt",): [2.0]}


def test_tokens_and_cost_are_those_of_all_attempts(counted: Counted) -> None:
    first = attempt(1, "a", "broken_reply", usage=Usage(10, 1), cost_nano=500_000_000)
    second = attempt(2, "b", usage=Usage(20, 2, cached_input_tokens=5), cost_nano=1_000_000_000)

    counted.metrics.finished(story(first, second))

    kinds = {labels[1]: value for labels, (value,) in counted.of(declared.TOKENS).items()}
    assert kinds == {"input": 30.0, "output": 3.0, "cached_input": 5.0}
    assert counted.of(declared.COST) == {("gpt",): [1.5]}


def test_refusals_exclusions_and_degraded_decisions_are_counted(counted: Counted) -> None:
    left_out = [Refusal(InstanceId("a"), Exclusion.CIRCUIT_OPEN)]
    counted.metrics.finished(story(outcome="RateLimited", exclusions=left_out, degraded=("limits", "routing")))
    counted.metrics.finished(story(outcome="BudgetExceeded"))

    assert counted.of(declared.RATE_LIMITED) == counted.of(declared.OVER_BUDGET) == {("gpt",): [1.0]}
    assert counted.of(declared.EXCLUSIONS) == {("a", "circuit_open"): [1.0]}
    assert counted.of(declared.DEGRADED) == {("limits",): [1.0], ("routing",): [1.0]}


def test_http_request_without_a_rule_or_an_answer_is_counted_without_its_path(counted: Counted) -> None:
    http = HttpMetrics(counted.page)
    told = Answered(RequestId("r"), "GET", "/planted", received_bytes=3, sent_bytes=7)

    http(told)
    http(replace(told, rule="/ready", status=200))
    http(replace(told, status=401))

    assert set(counted.of(declared.HTTP_RESPONSES)) == {("none", "none"), ("/ready", "200"), ("none", "401")}
    assert counted.of(declared.HTTP_RECEIVED) == {(): [9.0]}
    assert counted.of(declared.HTTP_SENT) == {(): [21.0]}
    assert counted.of(declared.REFUSED_CREDENTIALS) == {(): [1.0]}
