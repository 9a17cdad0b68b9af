from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.integration.redis.support import SCRIPTS, Store, store, write_scripts
from tests.servers.redis_servers import RedisServer, standalone, valkey_binary
from tests.servers.tcp_proxy import TcpProxy


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with standalone(valkey_binary()) as running:
        yield running


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scripts(tmp_path_factory.mktemp("lua"), SCRIPTS)


@pytest.fixture
async def ready(server: RedisServer, folder: Path) -> AsyncIterator[Store]:
    async with store(server.url, folder) as running:
        yield running


@pytest.fixture
async def proxy(server: RedisServer) -> AsyncIterator[TcpProxy]:
    async with TcpProxy(server.port) as running:
        yield running


@pytest.fixture
async def behind_proxy(proxy: TcpProxy, folder: Path) -> AsyncIterator[Store]:
    async with store(f"redis://127.0.0.1:{proxy.port}", folder) as running:
        await running.echo("connected")
        yield running
