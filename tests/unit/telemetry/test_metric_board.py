"""Pages that several processes read, and what they say together."""

from collections.abc import Callable

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from adapters.outbound.telemetry.exposition import exposed, merged
from adapters.outbound.telemetry.metric import Metric
from adapters.outbound.telemetry.metric_board import MetricBoard
from adapters.outbound.telemetry.metric_page import Labels, MetricPage
from adapters.outbound.telemetry.process_metrics_declared import (
    BUILD,
    GATEWAYS,
    REDIS_BREAKER,
    SERIES_DROPPED,
    STORE_UP,
    WORKER_STARTS,
    WORKERS,
)
from adapters.outbound.telemetry.request_metrics_declared import CACHE, GATEWAY_OVERHEAD, TOKENS

HIT, MISS = ("gpt", "hit"), ("gpt", "miss")


def told(board: MetricBoard, metric: Metric) -> dict[Labels, list[float]]:
    return merged(board.pages()).get(metric, {})


def as_worker(board: MetricBoard, index: int, work: Callable[[MetricPage], None]) -> None:
    """Does `work` as that worker, which then dies without another word."""
    board.take(index)
    work(board.begin())
    board.take(0)


def test_counters_of_all_workers_are_added_up_and_outlive_them() -> None:
    board = MetricBoard(3)
    page = board.begin()
    page.add(CACHE, HIT)

    as_worker(board, 1, lambda page: page.add(CACHE, HIT, 2.0))
    as_worker(board, 2, lambda page: page.add(CACHE, MISS))
    page.add(CACHE, HIT)

    assert told(board, CACHE) == {HIT: [4.0], MISS: [1.0]}


def test_worker_that_takes_a_dead_ones_place_goes_on_counting() -> None:
    board = MetricBoard(2)

    def work(page: MetricPage) -> None:
        page.add(WORKER_STARTS)
        page.add(CACHE, HIT)
        page.observe(GATEWAY_OVERHEAD, ("chat",), 0.003)

    as_worker(board, 1, work)
    as_worker(board, 1, work)

    assert told(board, CACHE) == {HIT: [2.0]}
    assert told(board, WORKER_STARTS) == {(): [2.0]}
    *counts, total = told(board, GATEWAY_OVERHEAD)["chat",]
    assert (sum(counts), total) == (2.0, 0.006)
    assert counts[GATEWAY_OVERHEAD.buckets.index(0.005)] == 2.0


def test_gauges_are_put_together_as_they_are_declared() -> None:
    board = MetricBoard(2)
    mine = board.begin()

    def show(page: MetricPage, value: float) -> None:
        for metric in (WORKERS, REDIS_BREAKER, GATEWAYS):
            page.show(metric, {(): value})
        page.show(STORE_UP, {("redis",): value})

    show(mine, 2.0)
    as_worker(board, 1, lambda page: show(page, 3.0))

    shown = {metric: told(board, metric)[()] for metric in (WORKERS, REDIS_BREAKER, GATEWAYS)}
    assert shown == {WORKERS: [5.0], REDIS_BREAKER: [3.0], GATEWAYS: [2.0]}
    assert told(board, STORE_UP) == {("redis",): [2.0]}


def test_worker_that_is_lost_keeps_its_counts_and_has_no_gauges() -> None:
    board = MetricBoard(2)
    board.begin().show(WORKERS, {(): 1.0})

    def work(page: MetricPage) -> None:
        page.show(WORKERS, {(): 1.0})
        page.add(CACHE, HIT)

    as_worker(board, 1, work)
    assert told(board, WORKERS) == {(): [2.0]}

    board.lost(1)

    assert told(board, WORKERS) == {(): [1.0]}
    assert told(board, CACHE) == {HIT: [1.0]}


def test_gauge_that_has_lost_a_label_value_shows_it_no_more() -> None:
    board = MetricBoard()
    page = board.begin()
    page.show(STORE_UP, {("redis",): 1.0, ("database",): 1.0})

    page.show(STORE_UP, {("redis",): 0.0})

    assert told(board, STORE_UP) == {("redis",): [0.0]}


def test_half_written_name_is_as_if_it_had_never_been() -> None:
    board = MetricBoard()
    page = board.begin()
    used = page._head[0]
    page._names[used : used + 5] = b'["moo'

    board.begin().add(CACHE, MISS)

    assert told(board, CACHE) == {MISS: [1.0]}


def test_what_has_no_room_is_counted_as_such_and_harms_nothing() -> None:
    board = MetricBoard()
    page = board.begin()
    page.add(CACHE, HIT)

    for _ in range(2):
        page.add(CACHE, ("x" * (5 << 20), "hit"))
        page.observe(GATEWAY_OVERHEAD, ("x" * (5 << 20),), 3.0)
    page.add(CACHE, HIT)

    assert told(board, SERIES_DROPPED) == {(): [4.0]}
    assert told(board, CACHE) == {HIT: [2.0]}


def test_what_has_no_labels_is_there_before_it_is_counted() -> None:
    board = MetricBoard()
    board.begin()

    assert told(board, WORKER_STARTS) == {(): [0.0]}
    assert told(board, TOKENS) == {}


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/plain; version=0.0.4"),
        ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "text/plain; version=0.0.4"),
        ("application/openmetrics-text; version=none", "application/openmetrics-text; version=1.0.0"),
    ],
)
def test_both_formats_say_the_same(accept: str, kind: str) -> None:
    board = MetricBoard()
    page = board.begin()
    page.add(TOKENS, ('a "quoted"\nname\\', "input"), 3.0)
    page.show(BUILD, {("1.0", "lite"): 1.0})
    for size in (0.0001, 0.004, 99.0):
        page.observe(GATEWAY_OVERHEAD, ("chat",), size)

    content_type, text = exposed(board.pages(), accept)

    read = openmetrics if "openmetrics" in kind else plain
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in read(text.decode())
        for sample in family.samples
    }
    assert content_type.startswith(kind)
    name = ("model", 'a "quoted"\nname\\')
    assert samples["moongate_tokens_total", ("kind", "input"), name] == 3.0
    assert samples["moongate_build_info", ("mode", "lite"), ("version", "1.0")] == 1.0
    overhead, chat = "moongate_gateway_overhead_seconds", ("endpoint", "chat")
    buckets = [samples[f"{overhead}_bucket", chat, ("le", bound)] for bound in ("0.0001", "0.0025", "0.005", "+Inf")]
    assert buckets == [1.0, 1.0, 2.0, 3.0]
    assert samples[f"{overhead}_count", chat] == 3.0
    assert samples[f"{overhead}_sum", chat] == pytest.approx(99.0041)
