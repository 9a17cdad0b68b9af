"""What is asked of a server runs in the order it was asked, whatever is under way."""

import asyncio
import statistics
from pathlib import Path

import redis

from tests.integration.redis.support import Store, admit_in_turn, count, store, turns
from tests.servers.redis_servers import RedisServer
from tests.servers.tcp_proxy import TcpProxy


async def test_a_report_has_taken_effect_before_the_next_admission_under_load(server: RedisServer) -> None:
    await admit_in_turn(server.url, "direct:")


async def test_a_report_has_taken_effect_before_the_next_admission_where_the_way_is_slow_and_cuts_messages(
    proxy: TcpProxy,
) -> None:
    proxy.chunk_bytes, proxy.delay_s = 700, 0.002
    await admit_in_turn(f"redis://127.0.0.1:{proxy.port}", "proxied:")


async def test_batches_under_way_together_run_in_the_order_they_were_asked(ready: Store) -> None:
    calls = []
    for number in range(200):
        calls.append(asyncio.ensure_future(count(ready, "{t}:batches")))
        await turns(number % 3)

    assert await asyncio.gather(*calls) == list(range(1, 201))


async def test_scripts_that_redis_forgot_keep_their_order(server: RedisServer, ready: Store) -> None:
    await ready.echo("connected")
    with redis.Redis(port=server.port) as client:
        client.script_flush()

    calls = []
    for number in range(60):
        calls.append(asyncio.ensure_future(count(ready, "{t}:forgotten")))
        await turns(number % 3)

    assert await asyncio.gather(*calls) == list(range(1, 61))


async def test_fifty_sequences_at_once_pay_one_round_trip_for_each_call(behind_proxy: Store, proxy: TcpProxy) -> None:
    proxy.delay_s = 0.1
    loop = asyncio.get_running_loop()
    spans_s: list[float] = []

    async def sequence(number: int) -> None:
        await turns(number)
        for _ in range(4):
            started_s = loop.time()
            await behind_proxy.echo("w")
            spans_s.append(loop.time() - started_s)

    await asyncio.gather(*(sequence(number) for number in range(50)))

    assert 0.1 <= statistics.median(spans_s) < 0.16


async def test_all_of_it_travels_on_one_connection(server: RedisServer, folder: Path) -> None:
    user = "lonely"
    with redis.Redis(port=server.port) as client:
        client.execute_command("ACL", "SETUSER", user, "on", ">pw", "~*", "+@all")
        async with store(f"redis://{user}:pw@127.0.0.1:{server.port}", folder, load=False) as running:
            await asyncio.gather(*(count(running, "{t}:one") for _ in range(1_000)))

            assert len([row for row in client.client_list() if row["user"] == user]) == 1


async def test_what_is_asked_after_a_forgotten_script_waits_for_it(
    server: RedisServer, behind_proxy: Store, proxy: TcpProxy
) -> None:
    echo, counting = (behind_proxy.executor._scripts[name] for name in ("try/echo", "try/count"))
    with redis.Redis(port=server.port) as client:
        client.script_flush()
        client.script_load(echo.source)
        proxy.delay_s = 0.2
        first = asyncio.ensure_future(count(behind_proxy, "{t}:waited"))
        await asyncio.sleep(0.1)
        between = asyncio.ensure_future(behind_proxy.echo("between"))
        await asyncio.sleep(0.15)  # Now it is known that the first was forgotten, and another gateway loads it.
        client.script_load(counting.source)
        second = asyncio.ensure_future(count(behind_proxy, "{t}:waited"))

        assert list(await asyncio.gather(first, between, second)) == [1, "between", 2]
