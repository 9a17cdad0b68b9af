"""The ways from two gateways to Redis, Postgres and the upstream swallow everything, are reset, and are slow."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.processes.trial import UNAVAILABLE, Fault, Trial, running_trial
from tests.servers.postgres_servers import PostgresServer
from tests.servers.redis_servers import RedisServer, standalone, valkey_binary
from tests.servers.tcp_proxy import TcpProxy

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.long]

LASTS_S = 4.0
Ways = dict[str, TcpProxy]
NAMES = {"store": "Redis", "database": "Postgres", "upstream": "the provider"}
SLOW_S = {"store": 0.03, "database": 0.3, "upstream": 0.5}
"""Less than the time limits of each: Redis has 100 ms."""
NO_ANSWER = frozenset({"refused 504 timeout", "refused 502 upstream_error", "told timeout", "told upstream_error"})
BROKEN = frozenset({"refused 502 upstream_error", "told upstream_error"})


async def swallows(way: TcpProxy, _: str) -> None:
    """No byte arrives, and no connection ends; then all of them do, since what was on its way can't come any more."""
    way.swallows = True
    await asyncio.sleep(LASTS_S)
    way.reset()
    way.swallows = False


async def is_reset(way: TcpProxy, _: str) -> None:
    """Every connection, again and again."""
    for _turn in range(8):
        way.reset()
        await asyncio.sleep(LASTS_S / 8)


async def is_slow(way: TcpProxy, name: str) -> None:
    """Every reply comes late."""
    way.delay_s = SLOW_S[name]
    await asyncio.sleep(LASTS_S)
    way.delay_s = 0.0


Happens = Callable[[TcpProxy, str], Awaitable[None]]
TOLD: Mapping[tuple[str, Happens], frozenset[str]] = {
    ("store", swallows): frozenset({UNAVAILABLE}),
    ("store", is_reset): frozenset({UNAVAILABLE}),
    ("store", is_slow): frozenset({UNAVAILABLE}),
    ("upstream", swallows): NO_ANSWER,
    ("upstream", is_reset): BROKEN,
}


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with standalone(valkey_binary()) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ways(upstream: ScriptedUpstream, server: RedisServer, database: PostgresServer) -> AsyncIterator[Ways]:
    targets: dict[str, int | Path] = {"store": server.port, "database": database.socket, "upstream": upstream.port}
    async with AsyncExitStack() as stack:
        yield {name: await stack.enter_async_context(TcpProxy(target)) for name, target in targets.items()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trial(
    upstream: ScriptedUpstream,
    server: RedisServer,
    database: PostgresServer,
    ways: Ways,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Trial]:
    by = {
        "store": f"redis://127.0.0.1:{ways['store'].port}/0",
        "database": f"postgresql://postgres:x@127.0.0.1:{ways['database'].port}/postgres?sslmode=disable",
        "upstream": f"http://127.0.0.1:{ways['upstream'].port}/v1",
    }
    async with running_trial(tmp_path_factory.mktemp("ways"), upstream, server, database.url, by=by) as running:
        yield running


@pytest.mark.parametrize(
    ("name", "happens"),
    [
        pytest.param(name, happens, id=f"{name} {happens.__name__}")
        for name in NAMES
        for happens in (swallows, is_reset, is_slow)
    ],
)
async def test_a_way_that_is_cut_or_slow_loses_no_call_and_truncates_no_stream_in_silence(
    trial: Trial, ways: Ways, name: str, happens: Happens
) -> None:
    async def strike() -> float:
        await happens(ways[name], name)
        return time.monotonic()

    words = happens.__name__.replace("_", " ")
    await trial.endures(
        Fault(f"the way to {NAMES[name]} {words}, {LASTS_S:.0f} s", strike, TOLD.get((name, happens), frozenset()))
    )
