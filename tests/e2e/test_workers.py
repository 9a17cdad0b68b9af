"""Several workers behind one address: who serves, who ends when, and who takes a dead one's place."""

import asyncio
import json
import signal
import socket
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.e2e import raw_http
from tests.e2e.behaviour import Behaviour
from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway, start_gateway
from tests.e2e.openai_wire import whole_text
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually
from tests.e2e.test_drain import refuses
from tests.e2e.test_streams import content_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODULE = "tests.e2e.several_workers"
SLOW = Behaviour(chunks=30, chunk_delay_s=0.05)
ENDLESS = Behaviour(chunks=4000, chunk_delay_s=0.05)


def several(
    upstream: ScriptedUpstream, folder: Path, lane: str, workers: int = 2
) -> AbstractAsyncContextManager[Gateway]:
    document = configuration([instance(lane, upstream.base_url)], server={"workers": workers})
    return running_gateway(document, folder, module=MODULE)


def workers_of(gateway: Gateway) -> list[psutil.Process]:
    found: list[psutil.Process] = psutil.Process(gateway.process.pid).children()
    return found


def log_lines(gateway: Gateway, text: str) -> list[str]:
    return [line for line in gateway.log.read_text(encoding="utf-8").splitlines() if text in line]


def tells(gateway: Gateway, text: str, times: int) -> bool:
    return len(log_lines(gateway, text)) == times


async def sees_it_drained(gateway: Gateway) -> bool:
    key = {"authorization": f"Bearer {gateway.key}"}
    reply = await raw_http.exchange(gateway.port, raw_http.get("/admin/v1/instances", key))
    drained: bool = json.loads(reply.body)["data"][0]["drained"]
    return drained


async def test_every_worker_serves_and_they_are_announced_once(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    async with several(upstream, tmp_path, "all", workers=3) as gateway:
        await eventually(lambda: len(workers_of(gateway)) == 3, within_s=5, what="three workers run")

        # Without a store each worker knows only of what it was told itself.
        await raw_http.exchange(gateway.port, gateway.post("/admin/v1/instances/all/drain", b""))
        seen: set[bool] = set()

        async def both_seen() -> bool:
            seen.add(await sees_it_drained(gateway))
            return seen == {True, False}

        await eventually(both_seen, within_s=10, what="a worker that was told and one that was not")
        assert len(log_lines(gateway, "Moongate listens on")) == 1
        everybody = workers_of(gateway)
    assert not any(worker.is_running() for worker in everybody)


async def test_worker_that_is_killed_is_replaced_and_the_others_serve_on(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    async with several(upstream, tmp_path, "killed") as gateway:
        await eventually(lambda: len(log_lines(gateway, "Running on")) == 2, within_s=15, what="both workers serve")
        before = {worker.pid for worker in workers_of(gateway)}
        victim = workers_of(gateway)[0]

        victim.send_signal(signal.SIGKILL)

        def replaced() -> bool:
            return len({worker.pid for worker in workers_of(gateway)} - {victim.pid}) == 2

        await eventually(replaced, within_s=5, what="another worker runs")
        assert {worker.pid for worker in workers_of(gateway)} & before
        # As many as would reach both workers for certain.
        replies = await asyncio.gather(*(gateway.chat("killed") for _ in range(20)))
        assert {reply.status for reply in replies} == {200}
        assert len(log_lines(gateway, "was ended by SIGKILL; another starts")) == 1


async def dies_again_and_again(gateway: Gateway, steady: int, times: int) -> None:
    """The other worker, as often as it is started."""
    for number in range(1, times + 1):

        def others() -> list[psutil.Process]:
            return [worker for worker in workers_of(gateway) if worker.pid != steady]

        await eventually(others, within_s=10, what="the other worker is started")
        others()[0].send_signal(signal.SIGKILL)
        told = partial(tells, gateway, "another starts in", number)
        await eventually(told, within_s=5, what="it is dead")


async def test_connections_go_to_the_living_while_a_worker_is_away(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    async with several(upstream, tmp_path, "away") as gateway:
        steady = workers_of(gateway)[0].pid
        await dies_again_and_again(gateway, steady, times=6)
        assert log_lines(gateway, "another starts in 3.2 s")

        request = gateway.post("/v1/chat/completions", raw_http.chat("away"))
        replies = await asyncio.gather(
            *(raw_http.exchange(gateway.port, request, within_s=2) for _ in range(30)), return_exceptions=True
        )

        assert len(workers_of(gateway)) == 1
        assert [getattr(reply, "status", reply) for reply in replies] == [200] * 30


async def test_connections_go_to_the_others_while_a_worker_drains_by_itself(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    upstream.lane("drains").default = Behaviour(chunks=80, chunk_delay_s=0.05)
    async with several(upstream, tmp_path, "drains") as gateway:
        await eventually(lambda: len(log_lines(gateway, "Running on")) == 2, within_s=15, what="both workers serve")
        streams = [asyncio.create_task(gateway.chat("drains", stream=True)) for _ in range(12)]
        await eventually(lambda: len(upstream.lane("drains").requests) == 12, within_s=5, what="both have streams")
        workers_of(gateway)[1].send_signal(signal.SIGTERM)
        await eventually(lambda: log_lines(gateway, "draining"), within_s=5, what="it has heard it")

        health = raw_http.get("/health")
        replies = [await raw_http.exchange(gateway.port, health, within_s=1) for _ in range(20)]

        assert {reply.status for reply in replies} == {200}
        assert not all(stream.done() for stream in streams)
        assert {(await stream).events()[-1] for stream in streams} == {"[DONE]"}


@pytest.mark.parametrize("everybody", [False, True], ids=["the supervisor is told", "every process is told"])
async def test_stream_in_flight_finishes_after_sigterm_and_newcomers_are_refused(
    upstream: ScriptedUpstream, tmp_path: Path, *, everybody: bool
) -> None:
    lane = f"slow-{everybody}"
    upstream.lane(lane).default = SLOW
    async with several(upstream, tmp_path, lane) as gateway:
        # A worker that has only just been forked has nothing to drain: it dies of the signal, without a word.
        await eventually(lambda: len(log_lines(gateway, "Running on")) == 2, within_s=15, what="both workers serve")
        in_flight = asyncio.create_task(gateway.chat(lane, stream=True))
        await eventually(lambda: upstream.lane(lane).requests, within_s=5, what="the stream has begun")

        if everybody:
            for worker in workers_of(gateway):
                worker.send_signal(signal.SIGTERM)
            # Signals of one kind that arrive together are one.
            await eventually(lambda: len(log_lines(gateway, "draining")) == 2, within_s=5, what="both have heard it")
        gateway.terminate()

        await eventually(lambda: refuses(gateway.port), within_s=2, what="new connections are refused")
        assert not in_flight.done()
        reply = await in_flight
        assert reply.events()[-1] == "[DONE]"
        assert content_of(reply.events()) == whole_text(lane, SLOW)
        assert await gateway.exited() == 0


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
async def test_second_signal_ends_what_is_in_flight(
    upstream: ScriptedUpstream, tmp_path: Path, first: signal.Signals
) -> None:
    lane = f"endless-{first.name}"
    upstream.lane(lane).default = ENDLESS
    async with several(upstream, tmp_path, lane) as gateway:
        # A worker that has only just been forked has nothing to drain: it dies of the signal, without a word.
        await eventually(lambda: len(log_lines(gateway, "Running on")) == 2, within_s=15, what="both workers serve")
        in_flight = asyncio.create_task(gateway.chat(lane, stream=True))
        await eventually(lambda: upstream.lane(lane).requests, within_s=5, what="the stream has begun")
        gateway.process.send_signal(first)
        await eventually(lambda: refuses(gateway.port), within_s=2, what="the drain has begun")
        assert not in_flight.done()

        gateway.process.send_signal(first)

        assert await gateway.exited() == 0
        assert "[DONE]" not in (await in_flight).events()


async def test_workers_end_when_their_supervisor_is_killed(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    gateway = start_gateway(
        configuration([instance("orphans", upstream.base_url)], server={"workers": 2}), tmp_path, module=MODULE
    )
    await eventually(lambda: len(workers_of(gateway)) == 2, within_s=20, what="two workers run")
    orphans = workers_of(gateway)
    await eventually(lambda: log_lines(gateway, "Moongate listens on"), within_s=10, what="it serves")

    gateway.process.kill()
    gateway.process.wait()

    await eventually(
        lambda: not any(worker.is_running() for worker in orphans), within_s=10, what="no orphans are left"
    )
    assert await refuses(gateway.port)


async def test_address_in_use_is_one_line_and_status_2(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        document = configuration([instance("taken", upstream.base_url)], server={"workers": 4})
        gateway = start_gateway(document, tmp_path, module=MODULE, port=taken.getsockname()[1])

        assert await gateway.exited() == 2
        assert len(log_lines(gateway, "can't listen on")) == 1


async def test_second_gateway_with_workers_on_one_address_is_refused(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    async with several(upstream, tmp_path, "first") as gateway:
        (tmp_path / "second").mkdir()
        document = configuration([instance("first", upstream.base_url)], server={"workers": 2})
        second = start_gateway(document, tmp_path / "second", module=MODULE, port=gateway.port)

        assert await second.exited() == 2
        assert (await gateway.chat("first")).status == 200
