"""A thousand clients that leave at a random moment: nothing may stay behind."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e import raw_http
from tests.e2e.behaviour import OK, Behaviour
from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

CANCELS = 1_000
AT_ONCE = 32
SLOTS = 40


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    models = [instance("leaky", upstream.base_url, max_parallel=SLOTS)]
    async with running_gateway(configuration(models), tmp_path_factory.mktemp("cancels")) as running:
        yield running


async def leave_early(gateway: Gateway, patience_s: float, *, stream: bool, whole: bool) -> None:
    """Send a request, or most of one, and be gone after that long, wherever it stands."""
    request = gateway.post("/v1/chat/completions", raw_http.chat("leaky", stream=stream))
    async with raw_http.RawConnection(gateway.port) as connection:
        await connection.send(request if whole else request[:-10])
        try:
            async with asyncio.timeout(patience_s):
                while await connection.some():
                    pass
        except (TimeoutError, ConnectionError):
            return


async def test_random_cancels_leave_no_connection_and_no_slot_behind(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    dice = random.Random(20_240_607)
    lane = upstream.lane("leaky")
    lane.default = Behaviour(chunks=400, chunk_delay_s=0.005, delay_s=0.01)
    turns = iter(range(CANCELS))

    async def client() -> None:
        for _ in turns:
            stream, whole = dice.random() < 0.7, dice.random() < 0.9
            await leave_early(gateway, dice.uniform(0.0, 0.08), stream=stream, whole=whole)

    await asyncio.gather(*(client() for _ in range(AT_ONCE)))

    await eventually(lambda: upstream.busy_connections == 0, within_s=1, what="no upstream call is left")
    assert len(lane.requests) > CANCELS // 4  # the test did get as far as the upstream
    lane.default = Behaviour(delay_s=0.3)  # long enough for all of them to hold their slots at once
    replies = await asyncio.gather(*(gateway.chat("leaky") for _ in range(SLOTS)))
    assert [reply.status for reply in replies] == [200] * SLOTS
    assert {reply.headers["x-moongate-attempts"] for reply in replies} == {"1"}
    lane.default = OK


async def test_slots_are_counted_at_all(gateway: Gateway, upstream: ScriptedUpstream) -> None:
    upstream.lane("leaky").default = Behaviour(delay_s=1.0)

    replies = await asyncio.gather(*(gateway.chat("leaky") for _ in range(SLOTS + 1)))

    assert sorted(reply.status for reply in replies) == [200] * SLOTS + [503]
