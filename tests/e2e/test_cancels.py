"""A thousand clients that leave at a random moment: nothing may stay behind."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio

from tests.e2e import raw_http
from tests.e2e.behaviour import Behaviour
from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

CANCELS = 1_000
AT_ONCE = 32
SLOTS = 40
LONGEST_S = 0.08


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    models = [instance("leaky", upstream.base_url, max_parallel=SLOTS)]
    async with running_gateway(configuration(models), tmp_path_factory.mktemp("cancels")) as running:
        yield running


async def leave_after(gateway: Gateway, patience_s: float, *, whole: bool) -> None:
    """Send a request, or most of one, and be gone after that long, wherever it stands."""
    request = gateway.post("/v1/chat/completions", raw_http.chat("leaky", stream=patience_s > LONGEST_S / 3))
    async with raw_http.RawConnection(gateway.port) as connection:
        await connection.send(request if whole else request[:-10])
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(patience_s):
                while await connection.some():
                    pass


async def leave_inside_the_stream(gateway: Gateway, pieces: int) -> None:
    """Read the head and so many pieces of a stream, and be gone."""
    async with asyncio.timeout(30), raw_http.RawConnection(gateway.port) as connection:
        await connection.send(gateway.post("/v1/chat/completions", raw_http.chat("leaky", stream=True)))
        status, _ = await connection.head()
        assert status in {200, 503}  # 503: those who left a moment ago still hold their slots
        for _ in range(pieces if status == 200 else 0):
            await connection.some()


async def test_random_cancels_leave_no_connection_and_no_slot_behind(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    dice = random.Random(20_240_607)
    lane = upstream.lane("leaky")
    lane.default = Behaviour(chunks=400, chunk_delay_s=0.005, delay_s=0.01)
    turns = iter(range(CANCELS))

    async def client() -> None:
        for turn in turns:
            if turn % 2:
                await leave_inside_the_stream(gateway, dice.randrange(4))
            else:
                await leave_after(gateway, dice.uniform(0.0, LONGEST_S), whole=dice.random() < 0.9)

    await asyncio.gather(*(client() for _ in range(AT_ONCE)))

    await eventually(lambda: upstream.busy_connections == 0, within_s=1, what="no upstream call is left")
    assert len(lane.requests) > CANCELS // 4  # they did get as far as the upstream
    lane.default = Behaviour(delay_s=0.5)  # long enough for all of them to hold their slots at once
    replies = await asyncio.gather(*(gateway.chat("leaky") for _ in range(SLOTS)))
    assert [reply.status for reply in replies] == [200] * SLOTS
    assert {reply.headers["x-moongate-attempts"] for reply in replies} == {"1"}


async def test_slots_are_counted_at_all(gateway: Gateway, upstream: ScriptedUpstream) -> None:
    upstream.lane("leaky").default = Behaviour(delay_s=2.0)  # the first is still there when the last one comes

    replies = await asyncio.gather(*(gateway.chat("leaky") for _ in range(SLOTS + 1)))

    assert sorted(reply.status for reply in replies) == [200] * SLOTS + [503]
