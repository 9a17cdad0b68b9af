"""A gateway that starts while Redis is silent serves nobody, says why, and serves as soon as Redis does."""

import asyncio
import time
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


async def serves(gateway: Gateway) -> bool:
    reply = await gateway.chat("early")
    return (await redis_said(gateway), reply.status, reply.headers.get("x-moongate-degraded")) == ((200, "ok"), 200, None)


async def listens(gateway: Gateway) -> bool:
    """It waits a few seconds for Redis before it does."""
    try:
        await redis_said(gateway)
    except OSError:
        return False
    return True


async def test_gateway_that_has_not_met_redis_serves_nobody_until_it_does(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    server = RedisServer(valkey_binary())
    async with TcpProxy(server.port, swallows=True) as proxy:
        urls = {"refused": server.url, "swallowed": f"redis://127.0.0.1:{proxy.port}/0"}
        gateways: dict[str, Gateway] = {}
        try:
            for name, url in urls.items():
                (tmp_path / name).mkdir()
                document = outage_document(url, [instance("early", upstream.base_url)])
                gateways[name] = start_gateway(document, tmp_path / name)
            for gateway in gateways.values():
                await eventually(lambda gateway=gateway: listens(gateway), within_s=15, what="it listens")
                assert await redis_said(gateway) == (503, "does not answer")
                reply = await gateway.chat("early")
                assert (reply.status, reply.json()["error"]["code"]) == (503, "state_unavailable")
                health = await raw_http.exchange(gateway.port, raw_http.get("/health"))
                assert health.status == 200

            await asyncio.to_thread(server.start)
            proxy.swallows = False
            begun_s = time.monotonic()
            for gateway in gateways.values():
                within_s = begun_s + RECOVERY_S - time.monotonic()
                await eventually(lambda gateway=gateway: serves(gateway), within_s=within_s, what="it serves")
                print(f"\nserves after {time.monotonic() - begun_s:.2f} s")

            for gateway in gateways.values():
                gateway.terminate()
                assert await gateway.exited() == 0
                assert [line[:20] for line in store_lines(gateway)] == ["redis is unavailable", "redis is back after "]
                assert "Traceback" not in gateway.log.read_text(encoding="utf-8")
        finally:
            for gateway in gateways.values():
                if gateway.process.poll() is None:
                    gateway.process.kill()
                    gateway.process.wait()
            server.close()
