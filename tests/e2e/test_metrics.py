"""One true answer of several workers, whichever is asked and whoever has died."""

import asyncio
import signal
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.e2e import raw_http
from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually
from tests.e2e.test_workers import MODULE, several, workers_of
from tests.integration.telemetry.metrics_world import Samples, samples_of, total

pytestmark = pytest.mark.asyncio(loop_scope="module")

# So many new connections reach both of two workers, but for once in a thousand million runs.
ENOUGH = 30


async def scraped(gateway: Gateway) -> Samples:
    reply = await raw_http.exchange(gateway.port, raw_http.get("/metrics"))
    assert reply.status == 200
    return samples_of(reply.body.decode())


async def answers(gateway: Gateway, name: str, **labels: str) -> set[float]:
    """What many scrapes say, of whichever workers."""
    return {total(await scraped(gateway), name, **labels) for _ in range(ENOUGH)}


async def ask(gateway: Gateway, lane: str) -> None:
    replies = await asyncio.gather(*(gateway.chat(lane) for _ in range(ENOUGH)))
    assert {reply.status for reply in replies} == {200}


def ready(gateway: Gateway) -> int:
    return gateway.log.read_text(encoding="utf-8").count("Running on")


async def test_every_worker_tells_the_counts_of_all(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    async with several(upstream, tmp_path, "told") as gateway:
        await eventually(lambda: ready(gateway) == 2, within_s=15, what="both workers serve")

        await ask(gateway, "told")

        assert await answers(gateway, "moongate_requests_total", model="told") == {ENOUGH}
        assert await answers(gateway, "moongate_request_duration_seconds_count", model="told") == {ENOUGH}
        seen = await scraped(gateway)
        assert total(seen, "moongate_worker_starts_total") == 2
        assert total(seen, "moongate_circuit_state", instance_id="told", state="closed") == 1

        async def both_workers_are_seen() -> bool:
            return await answers(gateway, "moongate_workers") == {2}

        await eventually(both_workers_are_seen, within_s=5, what="each worker has told of itself")


async def test_what_a_killed_worker_counted_is_neither_lost_nor_counted_again(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    async with several(upstream, tmp_path, "killed-metrics") as gateway:
        await eventually(lambda: ready(gateway) == 2, within_s=15, what="both workers serve")
        await ask(gateway, "killed-metrics")
        victim: psutil.Process = workers_of(gateway)[0]

        victim.send_signal(signal.SIGKILL)

        await eventually(lambda: ready(gateway) == 3, within_s=15, what="another worker serves")
        assert await answers(gateway, "moongate_requests_total", model="killed-metrics") == {ENOUGH}
        await ask(gateway, "killed-metrics")
        assert await answers(gateway, "moongate_requests_total", model="killed-metrics") == {2 * ENOUGH}
        assert await answers(gateway, "moongate_worker_starts_total") == {3}


async def test_metrics_that_are_turned_off_are_not_found(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    entries = [instance("off", upstream.base_url)]
    document = configuration(entries, server={"workers": 2}, observability={"metrics": False})
    async with running_gateway(document, tmp_path, module=MODULE) as gateway:
        assert (await gateway.chat("off")).status == 200
        assert (await raw_http.exchange(gateway.port, raw_http.get("/metrics"))).status == 404
