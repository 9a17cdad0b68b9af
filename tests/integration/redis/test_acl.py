"""The ACL line of docs/redis.md is enough, and not more than enough."""

import asyncio
import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.exceptions import NoPermissionError

from adapters.outbound.redis.lua_scripts import all_scripts, scripts_folder
from tests.architecture.source_tree import ROOT
from tests.integration.redis.support import lines_of, store
from tests.servers.redis_servers import RedisServer, cluster, standalone, valkey_binary

LINE = re.compile(r"^ACL SETUSER gateway .*$", re.MULTILINE)
KEY = "mg:v1:{t}:k"


def acl_line() -> list[str]:
    found = LINE.findall((ROOT / "docs" / "redis.md").read_text(encoding="utf-8"))
    assert len(found) == 1
    words: list[str] = found[0].split()
    return words


def commands_in_scripts() -> set[str]:
    text = "\n".join(path.read_text(encoding="utf-8") for path in scripts_folder().rglob("*.lua"))
    return set(re.findall(r"redis\.p?call\(\s*['\"]([A-Za-z]+)['\"]", text))


@pytest.fixture(scope="module")
def guarded() -> Iterator[RedisServer]:
    with standalone(valkey_binary()) as server:
        with redis.Redis(port=server.port) as client:
            client.execute_command(*acl_line())
        yield server


@pytest.fixture
def gateway(guarded: RedisServer) -> Iterator[redis.Redis]:
    with redis.Redis(port=guarded.port, username="gateway", password="password", protocol=2) as client:
        yield client


@pytest.mark.parametrize("command", sorted(commands_in_scripts()))
def test_the_gateways_user_may_do_what_scripts_do(guarded: RedisServer, command: str) -> None:
    with redis.Redis(port=guarded.port) as admin:
        arity = abs(admin.execute_command("COMMAND", "INFO", command)[command.lower()]["arity"])
        words = {"XGROUP": ["CREATE", KEY, "g", "$"], "XREADGROUP": ["GROUP", "g", "c", "STREAMS", KEY, ">"]}
        said = admin.execute_command("ACL", "DRYRUN", "gateway", command, *words.get(command, [KEY] * (arity - 1)))
    assert said in {b"OK", "OK"}


def test_scripts_hold_commands_to_test() -> None:
    assert {"TIME", "ZADD", "PEXPIRE"} <= commands_in_scripts()


async def test_the_gateways_user_loads_scripts_runs_them_and_finds_redis_again(
    guarded: RedisServer, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"redis://gateway:password@127.0.0.1:{guarded.port}/2"
    async with store(url, folder) as running:
        assert await running.executor.call("try/keep", [KEY], ["w"]) == b"w"
        assert await running.executor.command("PTTL", KEY) > 0
        with redis.Redis(port=guarded.port) as admin:
            admin.script_flush()
        assert await running.executor.call("try/keep", [KEY], ["x"]) == b"x"
        running.executor._probe.note(KEY)
        back = asyncio.Event()
        running.breaker.on_recovery(back.set)
        running.breaker.trip("for the test")
        async with asyncio.timeout(10):
            await back.wait()
        assert await running.executor.call("try/keep", [KEY], ["y"]) == b"y"
    assert len(lines_of(caplog.records)) == 2


async def test_the_gateways_user_is_enough_on_a_cluster(folder: Path) -> None:
    with cluster(valkey_binary()) as servers:
        for server in servers:
            with redis.Redis(port=server.port) as admin:
                admin.execute_command(*acl_line())
        url = "redis+cluster://gateway:password@" + ",".join(f"127.0.0.1:{server.port}" for server in servers)
        async with store(url, folder) as running:
            for number in range(30):
                key = f"mg:v1:{{{number}}}:k"
                assert await running.executor.call("try/keep", [key], ["w"]) == b"w"
                assert await running.executor.command("GET", key) == b"w"
            assert await running.executor.serves_again()


def test_every_script_of_the_product_compiles_for_it(gateway: redis.Redis) -> None:
    for script in all_scripts().values():
        assert gateway.script_load(script.source) == script.sha


@pytest.mark.parametrize(
    "words",
    [
        ("GET", "other:k"),
        ("SET", "other:k", "1"),
        ("EVAL", "return redis.call('GET', KEYS[1])", "1", "other:k"),
        ("EVAL", "return redis.call('KEYS', '*')", "0"),
        ("KEYS", "*"),
        ("FLUSHALL",),
        ("FLUSHDB",),
        ("CONFIG", "GET", "*"),
        ("SCRIPT", "FLUSH"),
        ("SCRIPT", "KILL"),
        ("ACL", "LIST"),
        ("CLIENT", "LIST"),
        ("SHUTDOWN",),
        ("MONITOR",),
        ("REPLICAOF", "NO", "ONE"),
        ("PUBLISH", "mg:v1:x", "1"),
        ("MIGRATE", "h", "1", KEY, "0", "1"),
        ("FUNCTION", "FLUSH"),
    ],
)
def test_the_gateways_user_may_not_do_anything_else(gateway: redis.Redis, words: tuple[str, ...]) -> None:
    with pytest.raises((NoPermissionError, redis.ResponseError), match=r"(?i)permission|can't be accessed|ACL"):
        gateway.execute_command(*words)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("word", [word for word in acl_line() if word.startswith("+")])
def test_no_permission_can_be_left_out(guarded: RedisServer, word: str) -> None:
    needed = {
        "+@read": ["HGET", KEY, "f"],
        "+@write": ["SET", KEY, "1"],
        "+eval": ["EVAL", "return 1", "0"],
        "+evalsha": ["EVALSHA", "0" * 40, "0"],
        "+script|load": ["SCRIPT", "LOAD", "return 1"],
        "+time": ["TIME"],
        "+ping": ["PING"],
        "+select": ["SELECT", "1"],
        "+command": ["COMMAND"],
        "+cluster|slots": ["CLUSTER", "SLOTS"],
        "+asking": ["ASKING"],
        "+info": ["INFO", "replication"],
    }[word]
    line = [part for part in acl_line() if part != word]
    line[2] = "narrower"
    with redis.Redis(port=guarded.port) as admin:
        with contextlib.suppress(redis.RedisError):
            admin.execute_command("ACL", "DELUSER", "narrower")
        admin.execute_command(*line)
        said = admin.execute_command("ACL", "DRYRUN", "narrower", *needed)
    assert said not in {b"OK", "OK"}
