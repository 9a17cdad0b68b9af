"""The server's event loop raises an error of its own where a connection that was reset is written to."""

import asyncio
from pathlib import Path

import uvloop

from tests.integration.redis.support import store
from tests.servers.redis_servers import standalone, valkey_binary
from tests.servers.tcp_proxy import TcpProxy


def test_a_ping_on_a_connection_that_was_reset_has_no_answer_and_the_next_one_has(folder: Path) -> None:
    async def answers(port: int) -> list[bool]:
        async with TcpProxy(port) as proxy, store(f"redis://127.0.0.1:{proxy.port}/0", folder) as running:
            before = await running.executor.ping()
            proxy.reset()
            await asyncio.sleep(0.1)
            return [before, await running.executor.ping(), await running.executor.ping()]

    with standalone(valkey_binary()) as server:
        assert uvloop.run(answers(server.port)) == [True, False, True]
