"""What a Redis that is far away costs a request: one round trip before the upstream is asked, and nothing after."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from statistics import median
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from tests.e2e.fleet import fleet_configuration
from tests.e2e.fleet_models import ROUTER, weighted
from tests.e2e.gateway_process import Gateway, running_gateway
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.servers.tcp_proxy import TcpProxy

pytestmark = pytest.mark.asyncio(loop_scope="session")

DELAY_S = 0.02
SETTLED_S = 3 * DELAY_S
REQUESTS = 20
TOGETHER = 5
LEAST_DELAYS, MOST_DELAYS = 0.5, 1.75


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def proxy(fleet_redis: str) -> AsyncIterator[TcpProxy]:
    async with TcpProxy(urlsplit(fleet_redis).port or 0) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gateway(
    proxy: TcpProxy, fleet_upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    document = fleet_configuration(
        f"redis://127.0.0.1:{proxy.port}/0",
        weighted("far", fleet_upstream.base_url),
        router={**ROUTER, "instance_retry_attempts": 0},
        redis={"prefix": "far:"},
    )
    async with running_gateway(document, tmp_path_factory.mktemp("far")) as running:
        yield running


async def added_s(proxy: TcpProxy, ask: Callable[[], Awaitable[None]]) -> float:
    """How much longer it typically takes while Redis is far away. Near and far take turns: other load meets both."""
    near_s: list[float] = []
    far_s: list[float] = []
    await ask()  # opens connections
    for _ in range(REQUESTS):
        for delay_s, spans_s in ((0.0, near_s), (DELAY_S, far_s)):
            proxy.delay_s = delay_s
            await asyncio.sleep(SETTLED_S)  # A report under way keeps its place: what comes behind it waits for it.
            began_s = time.monotonic()
            await ask()
            spans_s.append(time.monotonic() - began_s)
    proxy.delay_s = 0.0
    return median(far_s) - median(near_s)


async def served(gateway: Gateway, *, stream: bool = False) -> None:
    """One request, to the last byte of its reply."""
    reply = await gateway.chat("far", stream=stream)
    assert (reply.status, reply.headers.get("x-moongate-degraded")) == (200, None)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_slow_redis_delays_a_request_by_one_round_trip(
    gateway: Gateway, proxy: TcpProxy, *, stream: bool
) -> None:
    added = await added_s(proxy, lambda: served(gateway, stream=stream))

    assert LEAST_DELAYS < added / DELAY_S < MOST_DELAYS


async def test_slow_redis_delays_requests_that_come_together_by_one_round_trip(
    gateway: Gateway, proxy: TcpProxy
) -> None:
    async def together() -> None:
        await asyncio.gather(*(served(gateway) for _ in range(TOGETHER)))

    added = await added_s(proxy, together)

    assert LEAST_DELAYS < added / DELAY_S < MOST_DELAYS
