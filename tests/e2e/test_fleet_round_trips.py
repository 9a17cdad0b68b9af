"""What a Redis that is far away costs a request: one round trip before the upstream is asked, and nothing after."""

import asyncio
import time
from collections.abc import AsyncIterator
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
REQUESTS = 20
MOST_DELAYS = 1.5


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


async def typical_s(gateway: Gateway, *, stream: bool) -> float:
    """How long a request takes, from its first byte to the last of its reply."""
    spans_s = []
    for _ in range(REQUESTS):
        began_s = time.monotonic()
        reply = await gateway.chat("far", stream=stream)
        spans_s.append(time.monotonic() - began_s)
        assert (reply.status, reply.headers.get("x-moongate-degraded")) == (200, None)
    return median(spans_s)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_slow_redis_delays_a_request_by_one_round_trip(
    gateway: Gateway, proxy: TcpProxy, *, stream: bool
) -> None:
    await typical_s(gateway, stream=stream)  # the first ones open connections
    near_s = await typical_s(gateway, stream=stream)

    proxy.delay_s = DELAY_S
    try:
        added_s = await typical_s(gateway, stream=stream) - near_s
    finally:
        proxy.delay_s = 0.0

    assert DELAY_S * 0.9 <= added_s < DELAY_S * MOST_DELAYS


async def test_slow_redis_delays_requests_that_come_together_by_one_round_trip(
    gateway: Gateway, proxy: TcpProxy
) -> None:
    async def together_s() -> float:
        began_s = time.monotonic()
        replies = await asyncio.gather(*(gateway.chat("far") for _ in range(10)))
        assert {reply.status for reply in replies} == {200}
        return time.monotonic() - began_s

    near_s = median([await together_s() for _ in range(REQUESTS)])

    proxy.delay_s = DELAY_S
    try:
        added_s = median([await together_s() for _ in range(REQUESTS)]) - near_s
    finally:
        proxy.delay_s = 0.0

    assert DELAY_S * 0.5 <= added_s < DELAY_S * MOST_DELAYS
