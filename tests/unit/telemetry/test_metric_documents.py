"""The page about the metrics, the dashboard and the alerts say what is declared."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.outbound.telemetry.metric import Kind
from adapters.outbound.telemetry.metrics import METRICS, metrics_page
from adapters.outbound.telemetry.request_metrics import OUTCOMES
from domain.failure import FailureKind
from tests.unit.telemetry.metrics_page import DOCUMENT
from tests.unit.telemetry.promql import faults, used

GRAFANA = Path(__file__).parents[3] / "docs" / "grafana"
DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "moongate.json").read_text(encoding="utf-8"))
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((GRAFANA / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
_UNITS = ("_seconds",)


def targets() -> Iterator[tuple[str, str]]:
    for panel in PANELS:
        for target in panel["targets"]:
            yield target["expr"], target["legendFormat"]


def test_the_page_is_written_from_the_declarations() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == metrics_page(), "python -m tests.unit.telemetry.metrics_page"


def test_names_are_distinct_and_follow_the_rules_of_prometheus() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        assert re.fullmatch(r"moongate_[a-z][a-z_]*", metric.name)
        assert metric.name.endswith("_total") is (metric.kind is Kind.COUNTER)
        assert metric.kind is not Kind.HISTOGRAM or metric.name.endswith(_UNITS)
        assert list(metric.buckets) == sorted(set(metric.buckets))
        assert bool(metric.buckets) is (metric.kind is Kind.HISTOGRAM)
        # Prometheus has these of its own, and would rename ours.
        assert not {"instance", "job", "le"} & set(metric.labels)


@pytest.mark.parametrize(("expression", "legend"), list(targets()))
def test_a_panel_asks_for_what_there_is(expression: str, legend: str) -> None:
    assert faults(expression, legend) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_what_there_is(rule: dict[str, Any]) -> None:
    assert faults(rule["expr"], *rule["annotations"].values()) == []
    assert rule["labels"]["severity"] in {"critical", "warning"}


def test_outcomes_that_are_asked_for_are_some_that_there_are() -> None:
    there_are = {*OUTCOMES.values(), "error", *(kind.value for kind in FailureKind)}
    expressions = [*(expression for expression, _ in targets()), *(rule["expr"] for rule in RULES)]

    asked = {
        word
        for text in expressions
        for found in re.findall(r'outcome[=!~]+"([^"]*)"', text)
        for word in found.split("|")
    }

    assert {"success", "cancelled", "upstream_failed"} <= asked <= there_are


def test_every_metric_is_on_the_dashboard() -> None:
    asked = set[str]().union(*(used(expression) for expression, _ in targets()))
    assert {metric.name for metric in METRICS} - asked == set()


def test_panels_have_a_place_and_an_id_of_their_own() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(places)
    assert all(place["x"] + place["w"] <= 24 for place in (panel["gridPos"] for panel in DASHBOARD["panels"]))


@pytest.mark.parametrize(
    ("expression", "legend"),
    [
        ("sum(rate(moongate_request_total[5m]))", ""),
        ('sum(rate(moongate_requests_total{modell="a"}[5m]))', ""),
        ("sum by (modell) (rate(moongate_requests_total[5m]))", ""),
        ("sum by (model) (rate(moongate_requests_total[5m]))", "{{modell}}"),
        ("sum(moongate_requests_total)", ""),
        ("sum(rate(moongate_workers[5m]))", ""),
        ("rate(moongate_request_duration_seconds[5m])", ""),
        ("rate(moongate_requests_total_bucket[5m])", ""),
        ("up", ""),
    ],
)
def test_an_expression_that_is_wrong_is_seen(expression: str, legend: str) -> None:
    assert faults(expression, legend) != []
