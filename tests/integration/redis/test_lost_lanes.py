"""A connection that is stuck or lost fails those that asked, and nobody gets the answer of another."""

import asyncio
from pathlib import Path

import pytest
import redis

from adapters.outbound.redis.connection import Timeouts
from application.errors import StateUnavailable
from tests.integration.redis.support import Store, count, lane_of, lines_of, store, turns
from tests.servers.redis_servers import RedisServer
from tests.servers.tcp_proxy import TcpProxy


async def test_a_batch_behind_a_stuck_one_fails_with_it(proxy: TcpProxy, folder: Path) -> None:
    timeouts = Timeouts(command_us=1_000_000, connect_us=1_000_000)
    loop = asyncio.get_running_loop()
    async with store(f"redis://127.0.0.1:{proxy.port}", folder, timeouts) as running:
        await running.echo("connected")
        proxy.swallows = True
        started_s = loop.time()
        stuck = asyncio.ensure_future(running.echo("stuck"))
        await asyncio.sleep(0.6)
        behind = asyncio.ensure_future(running.echo("behind"))
        said = await asyncio.gather(stuck, behind, return_exceptions=True)

        assert {type(one) for one in said} == {StateUnavailable}
        assert 1.0 <= loop.time() - started_s < 1.5
        proxy.swallows = False
        assert await running.echo("next") == "next"
        assert not running.breaker.is_open


async def test_a_late_answer_goes_to_nobody(proxy: TcpProxy, folder: Path) -> None:
    timeouts = Timeouts(command_us=1_000_000, connect_us=1_000_000)
    async with store(f"redis://127.0.0.1:{proxy.port}", folder, timeouts) as running:
        await running.echo("connected")
        proxy.delay_s = 1.3
        with pytest.raises(StateUnavailable):
            await running.echo("late")
        proxy.delay_s = 0.0

        for number in range(20):
            assert await running.echo(f"w{number}") == f"w{number}"
            await asyncio.sleep(0.03)


async def test_a_lost_connection_fails_what_is_unanswered_and_is_one_failure(
    behind_proxy: Store, proxy: TcpProxy, caplog: pytest.LogCaptureFixture
) -> None:
    answered = asyncio.ensure_future(behind_proxy.echo("answered"))
    assert await answered == "answered"
    proxy.swallows = True
    lost = []
    for number in range(12):
        lost.append(asyncio.ensure_future(behind_proxy.echo(f"lost{number}")))
        await turns(3)

    proxy.reset()
    said = await asyncio.gather(*lost, return_exceptions=True)

    assert {type(one) for one in said} == {StateUnavailable}
    proxy.swallows = False
    assert await behind_proxy.echo("next") == "next"
    assert not behind_proxy.breaker.is_open
    assert lines_of(caplog.records) == []


async def test_an_asker_that_is_cancelled_in_the_middle_of_a_batch_shifts_no_answer(
    behind_proxy: Store, proxy: TcpProxy
) -> None:
    proxy.delay_s, proxy.chunk_bytes = 0.05, 11
    callers = [asyncio.ensure_future(behind_proxy.echo(f"w{number}")) for number in range(9)]
    await asyncio.sleep(0.02)
    assert lane_of(behind_proxy)._sent
    for number in (0, 4, 8):
        callers[number].cancel()
    after = [asyncio.ensure_future(behind_proxy.echo(f"after{number}")) for number in range(3)]

    said = await asyncio.gather(*callers, *after, return_exceptions=True)

    words = [f"w{number}" for number in range(9)] + [f"after{number}" for number in range(3)]
    wrong = {word: one for word, one in zip(words, said, strict=True) if one != word}
    assert set(wrong) == {"w0", "w4", "w8"}
    assert {type(one) for one in wrong.values()} == {asyncio.CancelledError}


async def test_what_is_cancelled_while_the_lane_connects_is_not_sent(server: RedisServer, folder: Path) -> None:
    async with store(server.url, folder, load=False) as running:
        await running.executor._scripts.load()
        calls = [asyncio.ensure_future(count(running, "{t}:connecting")) for _ in range(6)]
        await turns(2)
        for call in calls[::2]:
            call.cancel()

        assert await asyncio.gather(*calls[1::2]) == [1, 2, 3]


async def test_whoever_asks_while_connections_are_killed_gets_its_own_answer_or_none(
    server: RedisServer, proxy: TcpProxy, folder: Path
) -> None:
    answered = lost = 0
    proxy.delay_s = 0.003  # So that there is always something unanswered when it happens.

    async def asker(running: Store, client: redis.Redis, name: int) -> None:
        nonlocal answered, lost
        for number in range(60):
            word = f"{name}-{number}"
            try:
                assert await running.echo(word) == word
                answered += 1
                if answered % 100 == 0:
                    client.client_kill_filter(_type="normal", skipme=True)
            except StateUnavailable:
                lost += 1
            await asyncio.sleep(0)

    async with store(f"redis://127.0.0.1:{proxy.port}", folder) as running:
        with redis.Redis(port=server.port) as client:
            await asyncio.gather(*(asker(running, client, name) for name in range(20)))
        back = asyncio.Event()
        running.breaker.on_recovery(back.set)
        if running.breaker.is_open:
            async with asyncio.timeout(10):
                await back.wait()

        assert await running.echo("end") == "end"
    assert answered >= 100
    assert lost > 0


async def test_closing_waits_for_what_was_asked(server: RedisServer, folder: Path) -> None:
    async with TcpProxy(server.port) as proxy:
        async with store(f"redis://127.0.0.1:{proxy.port}", folder) as running:
            await running.echo("connected")
            proxy.delay_s = 0.1
            calls = [asyncio.ensure_future(count(running, "{t}:closing")) for _ in range(3)]
            await turns(2)

        assert [call.result() for call in calls] == [1, 2, 3]


async def test_of_a_batch_that_is_cut_short_those_that_were_answered_have_their_answers(
    server: RedisServer, behind_proxy: Store, proxy: TcpProxy
) -> None:
    with redis.Redis(port=server.port) as client:
        client.execute_command("CLIENT", "PAUSE", 60_000, "WRITE")
        read = asyncio.ensure_future(behind_proxy.executor.command("GET", "{t}:none"))
        written = [asyncio.ensure_future(count(behind_proxy, "{t}:cut")) for _ in range(3)]
        assert await read is None
        proxy.reset()
        said = await asyncio.gather(*written, return_exceptions=True)
        client.execute_command("CLIENT", "UNPAUSE")

    assert {type(one) for one in said} == {StateUnavailable}
    assert lane_of(behind_proxy)._unanswered == 0
    assert await behind_proxy.echo("next") == "next"


async def test_who_waits_for_a_turn_gets_it_where_all_before_are_cancelled_while_the_lane_connects(
    server: RedisServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.outbound.redis.lane.UNDER_WAY", 2)
    async with store(server.url, folder, load=False) as running:
        await running.executor._scripts.load()
        gone = [asyncio.ensure_future(running.echo("gone")) for _ in range(2)]
        await turns(1)
        last = running.executor.post("try/echo", ["{t}:k"], ["last"])
        await turns(2)
        for call in gone:
            call.cancel()

        async with asyncio.timeout(5):
            assert await last == [b"last"]
