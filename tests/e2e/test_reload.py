"""Reloads of real processes: nothing is dropped, an invalid file changes nothing, what is new is served at once."""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import raw_http
from tests.e2e.behaviour import Behaviour
from tests.e2e.fleet import fleet_configuration
from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway
from tests.e2e.reload_load import Load
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually
from tests.e2e.test_workers import log_lines, workers_of
from tests.servers.redis_servers import standalone, valkey_binary

pytestmark = pytest.mark.asyncio(loop_scope="module")

TURNS = {"routing_strategy": "weighted-round-robin"}
STREAMED = Behaviour(chunks=12, chunk_delay_s=0.03)
LANES = ("heavy", "light", "third")
ROUNDS = pytest.mark.parametrize("rounds", [2, pytest.param(6, marks=pytest.mark.long)])


def documents(upstream: ScriptedUpstream, base: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two configurations: in the second another weight, one instance more, one model more, one that is gone."""
    url = upstream.base_url
    heavy, light = instance("steady", url, "heavy", weight=3), instance("steady", url, "light", weight=1)
    third = instance("steady", url, "third", weight=2)
    first = [heavy, light, instance("departing", url)]
    second = [{**heavy, "weight": 1}, light, third, instance("fresh", url)]
    return {**base, "model_list": first}, {**base, "model_list": second}


def write(gateway: Gateway, text: str) -> None:
    """As a careful operator does it: the file is never seen half written."""
    path = gateway.log.with_name("gateway.yaml")
    draft = path.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


async def statuses(gateway: Gateway, model: str, count: int) -> set[int]:
    """Of so many requests on connections of their own: with several workers each serves some."""
    return {reply.status for reply in await asyncio.gather(*(gateway.chat(model) for _ in range(count)))}


async def reload(gateway: Gateway, document: Mapping[str, Any], served: str, gone: str) -> None:
    """Returns when every worker serves by `document`: within a second."""
    write(gateway, json.dumps(document))
    gateway.process.send_signal(signal.SIGHUP)

    async def in_force() -> bool:
        return await statuses(gateway, served, 6) == {200} and await statuses(gateway, gone, 6) == {404}

    await eventually(in_force, within_s=1.0, what=f"{served} is served and {gone} is not")


def _is_refused(gateway: Gateway, before: int) -> bool:
    return len(log_lines(gateway, "nothing changes: router.routing_strategy")) > before


async def through_many_reloads(gateway: Gateway, first: dict[str, Any], second: dict[str, Any], rounds: int) -> Load:
    load = Load(gateway, "steady", LANES, STREAMED)
    async with load.running(clients=8):
        for _ in range(rounds):
            await reload(gateway, second, "fresh", "departing")
            write(gateway, json.dumps({**first, "router": {"routing_strategy": "fastest"}}))
            refusals = len(log_lines(gateway, "nothing changes: router.routing_strategy"))
            gateway.process.send_signal(signal.SIGHUP)
            await eventually(partial(_is_refused, gateway, refusals), within_s=2, what="the invalid file is refused")
            assert await statuses(gateway, "fresh", 6) == {200}
            assert await statuses(gateway, "departing", 6) == {404}
            await reload(gateway, first, "departing", "fresh")
    return load


async def served_by(gateway: Gateway, count: int) -> Counter[str]:
    replies = [await gateway.chat("steady") for _ in range(count)]
    return Counter(reply.headers["x-moongate-instance"] for reply in replies)


@ROUNDS
async def test_reloads_under_load_drop_no_request_and_an_invalid_file_changes_nothing(
    upstream: ScriptedUpstream, tmp_path: Path, rounds: int
) -> None:
    for lane in LANES:
        upstream.lane(lane).default = STREAMED
    first, second = documents(upstream, configuration([], router=TURNS))
    async with running_gateway(first, tmp_path) as gateway:
        load = await through_many_reloads(gateway, first, second, rounds)

        assert load.wrong == []
        assert load.answered > 8 * rounds
        assert await served_by(gateway, 20) == {"heavy": 15, "light": 5}


@ROUNDS
async def test_reloads_of_two_workers_under_load_drop_no_request_and_an_invalid_file_changes_nothing(
    upstream: ScriptedUpstream, tmp_path: Path, rounds: int
) -> None:
    for lane in LANES:
        upstream.lane(lane).default = STREAMED
    with standalone(valkey_binary()) as redis:
        base = fleet_configuration(redis.url, [], router=TURNS, server={"workers": 2})
        first, second = documents(upstream, base)
        async with running_gateway(first, tmp_path) as gateway:
            await eventually(lambda: len(log_lines(gateway, "Running on")) == 2, within_s=15, what="both serve")
            load = await through_many_reloads(gateway, first, second, rounds)

            assert load.wrong == []
            assert load.answered > 8 * rounds
            assert await served_by(gateway, 20) == {"heavy": 15, "light": 5}
            write(gateway, "model_list: [")
            gateway.process.send_signal(signal.SIGHUP)

            async def told_by_a_worker() -> bool:
                status = (await raw_http.exchange(gateway.port, gateway.get("/admin/v1/status"))).json()["last_reload"]
                return not status["ok"] and "not valid YAML" in status["messages"][0]

            await eventually(told_by_a_worker, within_s=2, what="what the supervisor refused is told by the workers")


async def test_worker_that_takes_a_dead_ones_place_starts_with_the_configuration_in_force(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    with standalone(valkey_binary()) as redis:
        first, second = documents(upstream, fleet_configuration(redis.url, [], server={"workers": 2}))
        async with running_gateway(first, tmp_path) as gateway:
            await eventually(lambda: len(log_lines(gateway, "Running on")) == 2, within_s=15, what="both serve")
            await reload(gateway, second, "fresh", "departing")

            for worker in workers_of(gateway):
                os.kill(worker.pid, signal.SIGKILL)
            await eventually(lambda: len(log_lines(gateway, "Running on")) == 4, within_s=15, what="both serve anew")

            assert await statuses(gateway, "fresh", 12) == {200}
            assert await statuses(gateway, "departing", 12) == {404}
            assert len(log_lines(gateway, "moongate.start")) == 1


async def test_reload_by_the_admin_api_tells_what_changed_and_reaches_every_worker(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    with standalone(valkey_binary()) as redis:
        first, second = documents(upstream, fleet_configuration(redis.url, [], server={"workers": 2}))
        async with running_gateway(first, tmp_path) as gateway:
            await eventually(lambda: len(log_lines(gateway, "Running on")) == 2, within_s=15, what="both serve")
            write(gateway, json.dumps({**second, "server": {"workers": 3}}))
            reply = await raw_http.exchange(gateway.port, gateway.post("/admin/v1/config/reload", b""))

            assert reply.json() == {
                "applied": False,
                "changed": ["model_list: -departing +fresh ~heavy +third"],
                "needs_restart": ["server.workers"],
                "warnings": [],
            }
            await eventually(
                lambda: len(log_lines(gateway, "configuration reloaded")) == 2, within_s=2, what="both have reloaded"
            )
            assert await statuses(gateway, "fresh", 12) == {200}


async def test_stream_of_a_departed_instance_ends_well_and_its_status_tells_of_the_reload(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    upstream.lane("departing").default = Behaviour(chunks=20, chunk_delay_s=0.05)
    first, second = documents(upstream, configuration([], router=TURNS))
    async with running_gateway(first, tmp_path) as gateway:
        upstream.lane("departing").requests.clear()
        in_flight = asyncio.create_task(gateway.chat("departing", stream=True))
        await eventually(lambda: upstream.lane("departing").requests, within_s=5, what="the stream has begun")
        write(gateway, json.dumps(second))
        gateway.process.send_signal(signal.SIGHUP)
        await eventually(lambda: log_lines(gateway, "configuration reloaded"), within_s=2, what="it reloads")
        assert not in_flight.done()
        reply = await in_flight
        assert reply.events()[-1] == "[DONE]"

        write(gateway, "model_list: [")
        refused = await raw_http.exchange(gateway.port, gateway.post("/admin/v1/config/reload", b""))
        assert refused.status == 409
        status = (await raw_http.exchange(gateway.port, gateway.get("/admin/v1/status"))).json()["last_reload"]
        assert (status["ok"], status["changed"]) == (False, [])
        assert "not valid YAML" in status["messages"][0]
        assert status["messages"][0] in refused.json()["error"]["message"]
        shown = (await raw_http.exchange(gateway.port, gateway.get("/admin/v1/config"))).json()
        assert [entry["id"] for entry in shown["model_list"]] == ["heavy", "light", "third", "fresh"]
