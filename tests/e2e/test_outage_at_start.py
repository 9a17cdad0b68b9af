"""A gateway that starts while Redis is silent serves nobody, says why, and serves as soon as Redis does."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e import raw_http
from tests.e2e.gateway_process import Gateway, instance, start_gateway
from tests.e2e.outage_fleet import outage_document, redis_said
from tests.e2e.outage_story import RECOVERY_S, store_lines
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually
from tests.servers.redis_servers import RedisServer, valkey_binary
from tests.servers.tcp_proxy import TcpProxy

pytestmark = pytest.mark.asyncio(loop_scope="module")


@contextmanager
def started(upstream: ScriptedUpstream, folder: Path, urls: Sequence[str]) -> Iterator[list[Gateway]]:
    """A gateway for each URL of a Redis."""
    gateways: list[Gateway] = []
    try:
        for number, url in enumerate(urls):
            own = folder / str(number)
            own.mkdir()
            gateways.append(start_gateway(outage_document(url, [instance("early", upstream.base_url)]), own))
        yield gateways
    finally:
        for gateway in gateways:
            if gateway.process.poll() is None:
                gateway.process.kill()
                gateway.process.wait()


async def serves_nobody(gateway: Gateway) -> None:
    async def listens() -> bool:
        try:
            await redis_said(gateway)
        except OSError:
            return False
        return True

    await eventually(listens, within_s=20, what="it listens, having waited for Redis for some seconds")
    assert await redis_said(gateway) == (503, "does not answer")
    reply = await gateway.chat("early")
    assert (reply.status, reply.json()["error"]["code"]) == (503, "state_unavailable")
    assert (await raw_http.exchange(gateway.port, raw_http.get("/health"))).status == 200


async def comes_to_serve(gateway: Gateway) -> None:
    async def serves() -> bool:
        reply = await gateway.chat("early")
        served = reply.status == 200 and "x-moongate-degraded" not in reply.headers
        return served and await redis_said(gateway) == (200, "ok")

    await eventually(serves, within_s=RECOVERY_S, what="it serves, and says that it is ready")


async def ends_well(gateway: Gateway) -> None:
    gateway.terminate()
    assert await gateway.exited() == 0
    assert [line[:20] for line in store_lines(gateway)] == ["redis is unavailable", "redis is back after "]
    assert "Traceback" not in gateway.log.read_text(encoding="utf-8")


async def test_gateway_that_has_not_met_redis_serves_nobody_until_it_does(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    server = RedisServer(valkey_binary())
    try:
        async with TcpProxy(server.port, swallows=True) as proxy:
            with started(upstream, tmp_path, [server.url, f"redis://127.0.0.1:{proxy.port}/0"]) as gateways:
                await asyncio.gather(*(serves_nobody(gateway) for gateway in gateways))

                await asyncio.to_thread(server.start)
                proxy.swallows = False

                await asyncio.gather(*(comes_to_serve(gateway) for gateway in gateways))
                await asyncio.gather(*(ends_well(gateway) for gateway in gateways))
    finally:
        server.close()
