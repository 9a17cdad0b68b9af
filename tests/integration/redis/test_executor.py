import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis
from redis.exceptions import ResponseError

from adapters.outbound.redis.batch import LARGEST_BATCH
from adapters.outbound.redis.lane import UNDER_WAY
from adapters.outbound.redis.lua_scripts import ScriptError
from application.errors import StateUnavailable
from tests.integration.redis.support import SCRIPTS, Store, lane_of, lines_of, store, write_scripts
from tests.servers.redis_servers import RedisServer, cluster, cluster_url, valkey_binary
from tests.servers.tcp_proxy import TcpProxy


@pytest.fixture
async def proxied(server: RedisServer, folder: Path) -> AsyncIterator[tuple[Store, TcpProxy]]:
    async with TcpProxy(server.port) as proxy, store(f"redis://127.0.0.1:{proxy.port}", folder) as running:
        yield running, proxy


async def test_what_is_asked_in_one_turn_leaves_in_one_pipeline(proxied: tuple[Store, TcpProxy]) -> None:
    running, proxy = proxied
    before = proxy.requests

    answers = await asyncio.gather(*(running.echo(f"w{number}") for number in range(20)))

    assert answers == [f"w{number}" for number in range(20)]
    assert proxy.requests == before + 1


async def test_two_turns_are_two_pipelines(proxied: tuple[Store, TcpProxy]) -> None:
    running, proxy = proxied
    before = proxy.requests

    await running.echo("a")
    await running.echo("b")

    assert proxy.requests == before + 2


async def test_what_is_asked_together_pays_a_slow_store_once(proxied: tuple[Store, TcpProxy]) -> None:
    running, proxy = proxied
    proxy.delay_s = 0.2
    loop = asyncio.get_running_loop()
    started_s = loop.time()

    await asyncio.gather(running.echo("a"), running.echo("b"), running.executor.command("GET", "{t}:none"))

    assert 0.2 <= loop.time() - started_s < 0.4


async def test_what_leaves_together_runs_in_the_order_it_was_asked(ready: Store) -> None:
    calls = [ready.executor.call("try/count", ["{t}:order"], [1]) for _ in range(LARGEST_BATCH)]

    assert await asyncio.gather(*calls) == list(range(1, LARGEST_BATCH + 1))


async def test_what_needs_several_batches_runs_once_each(ready: Store) -> None:
    calls = [ready.executor.call("try/count", ["{t}:several"], [1]) for _ in range(3 * LARGEST_BATCH)]

    assert sorted(await asyncio.gather(*calls)) == list(range(1, 3 * LARGEST_BATCH + 1))


async def test_more_than_may_be_under_way_waits_and_is_answered(ready: Store) -> None:
    count = UNDER_WAY + 2 * LARGEST_BATCH

    answers = await asyncio.gather(*(ready.echo(str(number)) for number in range(count)))

    assert answers == [str(number) for number in range(count)]


async def _cancel_at_random(running: Store, seed: int) -> None:
    chance = random.Random(seed)
    callers = {f"w{number}": asyncio.ensure_future(running.echo(f"w{number}")) for number in range(2_000)}
    victims = chance.sample(sorted(callers), 1_000)
    for number, victim in enumerate(victims):
        callers[victim].cancel()
        if number % chance.randint(1, 40) == 0:
            await asyncio.sleep(0)

    answers = await asyncio.gather(*callers.values(), return_exceptions=True)

    answered = {
        word: said for word, said in zip(callers, answers, strict=True) if not isinstance(said, asyncio.CancelledError)
    }
    assert len(answered) >= 1_000
    assert {word: said for word, said in answered.items() if said != word} == {}


async def test_a_thousand_cancelled_callers_shift_nobodys_reply(ready: Store) -> None:
    # CVE-2023-28858 and CVE-2023-28859: the reply to a cancelled command went to whoever used the connection next.
    for seed in range(3):
        await _cancel_at_random(ready, seed)


async def test_cancelled_callers_shift_nobodys_reply_on_a_cluster(folder: Path) -> None:
    with cluster(valkey_binary()) as servers:
        async with store(cluster_url(servers), folder) as running:
            await _cancel_at_random(running, seed=1)


async def test_who_is_cancelled_before_its_turn_is_not_sent(ready: Store) -> None:
    call = asyncio.ensure_future(ready.executor.call("try/count", ["{t}:never"], [1]))
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)

    assert await ready.executor.command("GET", "{t}:never") is None


async def test_scripts_that_redis_forgot_are_sent_again_in_the_same_call(server: RedisServer, ready: Store) -> None:
    with redis.Redis(port=server.port) as client:
        client.script_flush()

    echoed, kept, nothing = await asyncio.gather(
        ready.echo("a"), ready.executor.call("try/keep", ["{t}:k"], ["b"]), ready.executor.command("GET", "{t}:none")
    )

    assert (echoed, kept) == ("a", b"b")
    assert nothing is None
    with redis.Redis(port=server.port) as client:
        assert client.script_exists(ready.executor._scripts["try/echo"].sha) == [True]


async def test_redis_restarted_empty_is_served_without_a_new_start(folder: Path) -> None:
    server = RedisServer(valkey_binary())
    server.start()
    try:
        async with store(server.url, folder) as running:
            assert await running.echo("before") == "before"
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)

            assert await running.echo("after") == "after"
    finally:
        server.close()


async def test_scripts_are_sent_whole_where_script_load_is_refused_with_one_warning(
    server: RedisServer, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # A proxy that refuses SCRIPT once turned limits into local ones, and nobody heard of it.
    with redis.Redis(port=server.port) as client:
        client.execute_command("ACL", "SETUSER", "plain", "on", ">secret", "~*", "+@all", "-script")
        client.script_flush()
    async with store(f"redis://plain:secret@127.0.0.1:{server.port}", folder) as running:
        await running.executor.load()

        assert await running.echo("whole") == "whole"
        assert await running.executor.call("try/count", ["{t}:whole"], [2]) == 2

    lines = lines_of(caplog.records)
    assert len(lines) == 1
    assert "refuses SCRIPT LOAD" in lines[0]
    assert "secret" not in lines[0]


async def test_a_syntax_error_stops_load(server: RedisServer, tmp_path: Path) -> None:
    async with store(server.url, write_scripts(tmp_path, {"try/wrong": "local x = = 1"}), load=False) as running:
        with pytest.raises(ScriptError, match=r"try/wrong\.lua: .*ompil"):
            await running.executor.load()
        assert not running.breaker.is_open


@pytest.mark.parametrize(
    ("keys", "arguments", "told"),
    [([], ["w"], "1 keys, got 0"), (["k"], [], "1 arguments, got 0"), (["k"], ["a", "b"], "got 2")],
)
async def test_a_call_with_wrong_counts_is_a_bug(
    ready: Store, keys: list[str], arguments: list[str], told: str
) -> None:
    with pytest.raises(ScriptError, match=told):
        await ready.executor.call("try/echo", keys, arguments)


@pytest.mark.parametrize("word", [None, True, 1.5, ["a"]])
async def test_a_word_that_redis_has_no_form_for_fails_its_caller_alone(ready: Store, word: str) -> None:
    answers = await asyncio.gather(ready.echo("a"), ready.echo(word), ready.echo("b"), return_exceptions=True)

    assert (answers[0], answers[2]) == ("a", "b")
    assert isinstance(answers[1], TypeError)


async def test_text_that_is_no_unicode_travels_and_fails_nobody(ready: Store) -> None:
    answers = await asyncio.gather(
        ready.executor.call("try/echo", ["{t}:\udcff"], ["\ud800ü"]), ready.echo("plain"), return_exceptions=True
    )

    assert list(answers) == [["\ud800ü".encode("utf-8", "surrogatepass")], "plain"]


async def test_the_error_of_one_fails_no_neighbour(ready: Store) -> None:
    answers = await asyncio.gather(
        ready.echo("a"),
        ready.executor.command("INCR", "{t}:a", "too many words"),
        ready.executor.call("try/broken", ["{t}:k"], ["w"]),
        ready.echo("b"),
        return_exceptions=True,
    )

    assert (answers[0], answers[3]) == ("a", "b")
    assert isinstance(answers[1], ResponseError)
    assert isinstance(answers[2], ScriptError)


async def test_a_script_that_fails_is_a_bug_and_no_outage(ready: Store) -> None:
    for _ in range(30):
        with pytest.raises(ScriptError, match=r"^try/broken\.lua failed: Command arguments must be"):
            await ready.executor.call("try/broken", ["{t}:k"], ["w"])

    assert not ready.breaker.is_open
    assert await ready.echo("on") == "on"


async def test_keys_in_different_slots_fail_their_caller_alone_on_a_cluster(tmp_path: Path) -> None:
    body = "-- KEYS[2]  other  string  another\nreturn {ARGV[1]}"
    folder = write_scripts(tmp_path, {"try/two": body, "try/echo": SCRIPTS["try/echo"]})
    with cluster(valkey_binary()) as servers:
        async with store(cluster_url(servers), folder) as running:
            answers = await asyncio.gather(
                running.executor.call("try/two", ["{a}:k", "{b}:k"], ["w"]), running.echo("a"), return_exceptions=True
            )

    assert isinstance(answers[0], ScriptError)
    assert answers[1] == "a"


async def test_a_script_that_an_acl_forbids_says_so_once_and_opens_nothing(
    server: RedisServer, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with redis.Redis(port=server.port) as client:
        client.execute_command("ACL", "SETUSER", "narrow", "on", ">pw", "~mine:*", "+@all")
    async with store(f"redis://narrow:pw@127.0.0.1:{server.port}", folder) as running:
        for _ in range(10):
            with pytest.raises(StateUnavailable, match="forbids try/keep"):
                await running.executor.call("try/keep", ["{t}:k"], ["w"])

        assert await running.executor.call("try/keep", ["mine:{t}"], ["w"]) == b"w"
        assert not running.breaker.is_open
    assert [line for line in lines_of(caplog.records) if "forbids" not in line] == []
    assert len(lines_of(caplog.records)) == 1


async def test_who_waits_too_long_for_a_turn_is_told_so_and_opens_nothing(
    proxied: tuple[Store, TcpProxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A full pool was once mistaken for a store that is down.
    running, proxy = proxied
    await running.echo("connected")
    monkeypatch.setattr("adapters.outbound.redis.lane.UNDER_WAY", 1)
    monkeypatch.setattr(lane_of(running), "_bound_s", 0.8)
    proxy.delay_s = 0.6
    first = asyncio.ensure_future(running.echo("first"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    waited = await asyncio.gather(*(running.echo(str(n)) for n in range(30)), return_exceptions=True)

    assert await first == "first"
    assert {type(said) for said in waited} == {StateUnavailable}
    assert "too slow" in str(waited[0])
    assert not running.breaker.is_open
    proxy.delay_s = 0.0
    assert await running.echo("next") == "next"


async def test_what_is_beyond_the_bound_of_unanswered_fails_at_once_and_opens_nothing(
    proxied: tuple[Store, TcpProxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A full pool was once mistaken for a store that is down.
    running, proxy = proxied
    monkeypatch.setattr("adapters.outbound.redis.lane.UNANSWERED", 10)
    proxy.delay_s = 0.2
    loop = asyncio.get_running_loop()
    first = [asyncio.ensure_future(running.echo(str(number))) for number in range(10)]
    await asyncio.sleep(0.05)
    started_s = loop.time()

    refused = await asyncio.gather(*(running.echo("over") for _ in range(30)), return_exceptions=True)

    assert loop.time() - started_s < 0.1
    assert {type(said) for said in refused} == {StateUnavailable}
    assert "redis is too slow" in str(refused[0])
    assert await asyncio.gather(*first) == [str(number) for number in range(10)]
    assert not running.breaker.is_open
    assert await asyncio.gather(*(running.echo("next") for _ in range(10))) == ["next"] * 10
