"""Gauges and counts of others, written down; and how late the loop is."""

import asyncio

import pytest

from adapters.outbound.telemetry.exposition import merged
from adapters.outbound.telemetry.loop_lag import LoopLag
from adapters.outbound.telemetry.metric_board import MetricBoard
from adapters.outbound.telemetry.metric_sampling import MetricSampling, one
from adapters.outbound.telemetry.process_metrics_declared import CPU, GATEWAYS, LOOP_LAG, WORKERS
from adapters.testing.virtual_time import ManualClock, VirtualClock, run_virtual
from bootstrap.metric_sources import endpoint_of


def test_counts_of_others_go_on_where_a_dead_process_stopped() -> None:
    board, counted = MetricBoard(), [2.0]
    first = MetricSampling(board.begin(), {}, {CPU: lambda: counted[0]}, ManualClock())
    first.sample()
    counted[0] = 5.0
    first.sample()

    counted[0] = 1.0
    MetricSampling(board.begin(), {}, {CPU: lambda: counted[0]}, ManualClock()).sample()

    assert merged(board.pages())[CPU] == {(): [6.0]}


def test_what_only_the_asked_process_may_tell_is_read_when_it_is_asked() -> None:
    board = MetricBoard()
    gauges = {GATEWAYS: lambda: one(4), WORKERS: lambda: one(1)}
    sampling = MetricSampling(board.begin(), gauges, {}, ManualClock())

    sampling.sample(for_others=True)
    assert GATEWAYS not in merged(board.pages())
    assert merged(board.pages())[WORKERS] == {(): [1.0]}

    sampling.sample()
    assert merged(board.pages())[GATEWAYS] == {(): [4.0]}


class LateClock(VirtualClock):
    """One whose sleepers wake late."""

    async def sleep(self, span_us: int) -> None:
        await super().sleep(span_us + 30_000)


@pytest.mark.parametrize(("clock", "late_s"), [(VirtualClock, 0.0), (LateClock, 0.03)])
def test_lag_is_how_late_a_sleeper_woke(clock: type[VirtualClock], late_s: float) -> None:
    board = MetricBoard()

    async def scenario() -> None:
        watching = asyncio.create_task(LoopLag(board.begin(), clock()).run())
        await asyncio.sleep(1.35)
        watching.cancel()

    run_virtual(scenario())

    *counts, total_s = merged(board.pages())[LOOP_LAG][()]
    assert sum(counts) >= 10
    assert total_s == pytest.approx(late_s * sum(counts))


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/v1/chat/completions", "chat"),
        ("/openai/deployments/a/b/chat/completions", "chat"),
        ("/completions", "completions"),
        ("/v1/embeddings", "embeddings"),
        ("/admin/v1/keys", "admin"),
        ("/metrics", "other"),
        ("", "other"),
    ],
)
def test_what_is_in_flight_is_told_in_a_few_words(path: str, endpoint: str) -> None:
    assert endpoint_of(path) == endpoint
