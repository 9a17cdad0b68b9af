"""Circuits over real HTTP: they open, probe with care, and heal without a restart."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.behaviour import OK, Behaviour, Ending, ending, failing
from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway
from tests.e2e.scripted_upstream import ScriptedUpstream, peak_overlap
from tests.e2e.support import eventually
from tests.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

BREAKER = {"consecutive_failures": 3, "open_duration": "400ms", "max_open_duration": "800ms", "half_open_probes": 1}
MODELS = ("heals", "probes", "wedges")


@pytest.fixture(scope="module")
def late_port() -> int:
    return free_port()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(
    upstream: ScriptedUpstream, late_port: int, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    models = []
    for model in MODELS:
        models.append(instance(model, upstream.base_url, f"{model}-ill", priority=100, timeout="700ms"))
        models.append(instance(model, upstream.base_url, f"{model}-well"))
    models.append(instance("late", f"http://127.0.0.1:{late_port}/v1", "late-first", priority=100))
    models.append(instance("late", upstream.base_url, "late-second"))
    document = configuration(models, router={"circuit_breaker": BREAKER})
    async with running_gateway(document, tmp_path_factory.mktemp("circuit")) as running:
        yield running


async def trip(gateway: Gateway, model: str) -> None:
    """Fail often enough to open the circuit of the first instance."""
    attempts = [(await gateway.chat(model)).headers["x-moongate-attempts"] for _ in range(4)]
    assert attempts == ["2", "2", "2", "1"]


async def served_by(gateway: Gateway, model: str) -> str:
    reply = await gateway.chat(model)
    assert reply.status == 200
    return reply.headers["x-moongate-instance"]


async def test_circuit_closes_again_after_the_instance_recovered(gateway: Gateway, upstream: ScriptedUpstream) -> None:
    lane = upstream.lane("heals-ill")
    lane.default = failing(500)
    await trip(gateway, "heals")
    lane.default = OK

    async def healed() -> bool:
        return [await served_by(gateway, "heals") for _ in range(5)] == ["heals-ill"] * 5

    await eventually(healed, within_s=5, what="the recovered instance serves again")


async def test_circuit_of_an_unreachable_instance_heals_when_it_comes_up(gateway: Gateway, late_port: int) -> None:
    await trip(gateway, "late")

    async with ScriptedUpstream(late_port):

        async def healed() -> bool:
            return [await served_by(gateway, "late") for _ in range(5)] == ["late-first"] * 5

        await eventually(healed, within_s=5, what="the instance that came up serves")


async def test_half_open_circuit_lets_one_probe_through_at_a_time(gateway: Gateway, upstream: ScriptedUpstream) -> None:
    lane = upstream.lane("probes-ill")
    lane.default = failing(500)
    await trip(gateway, "probes")
    lane.default = Behaviour(status=500, body=b"{}", delay_s=0.3)

    async def probed() -> bool:
        assert {await served_by(gateway, "probes") for _ in range(5)} == {"probes-well"}
        replies = await asyncio.gather(*(served_by(gateway, "probes") for _ in range(20)))
        assert set(replies) == {"probes-well"}
        return len(lane.requests) >= 6

    await eventually(probed, within_s=10, what="three probes or more went through")
    assert peak_overlap(list(lane.requests)[3:]) == 1


async def test_probe_that_hangs_does_not_wedge_the_circuit(gateway: Gateway, upstream: ScriptedUpstream) -> None:
    lane = upstream.lane("wedges-ill")
    lane.default = failing(500)
    await trip(gateway, "wedges")
    lane.default = ending(Ending.HANG)

    async def probed() -> bool:
        await served_by(gateway, "wedges")
        return len(lane.requests) > 3

    await eventually(probed, within_s=5, what="a probe went into the hanging instance")
    lane.default = OK

    async def healed() -> bool:
        return await served_by(gateway, "wedges") == "wedges-ill"

    await eventually(healed, within_s=8, what="the circuit probes again and heals")
