"""The domain function and the script count the same gateways."""

import asyncio
import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbound.redis.connection import connect
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.lua_scripts import all_scripts
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.system.clock import SystemClock
from domain.gateways import announce
from tests.examples import examples
from tests.servers.fixtures import PATIENT
from tests.servers.redis_servers import standalone, valkey_binary

EPOCH_US = 1_763_870_000_123_456
_numbers = itertools.count()

# Spans around how long a gateway is counted, so that histories meet the very microsecond at which one expires.
SPANS_US = st.sampled_from([0, 1, 1_000_000, 1_999_999, 2_000_000, 2_000_001])
STEPS = st.lists(st.tuples(st.sampled_from("abc"), SPANS_US, st.sampled_from([1_000, 2_000_000])), max_size=12)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running


@pytest.fixture(scope="module")
def executor(runner: asyncio.Runner) -> Iterator[RedisExecutor]:
    with standalone(valkey_binary()) as server:
        made = RedisExecutor(connect(server.url, PATIENT), all_scripts(), PATIENT, StoreBreaker(SystemClock()))
        runner.run(made.load())
        yield made
        runner.run(made.aclose())


@settings(max_examples=examples(200))
@given(steps=STEPS)
def test_the_script_counts_as_the_domain_does(
    executor: RedisExecutor, runner: asyncio.Runner, steps: list[tuple[str, int, int]]
) -> None:
    key = f"{next(_numbers)}:{{gateways}}"

    async def replay() -> None:
        known: dict[str, int] = {}
        now_us = EPOCH_US
        for gateway_id, span_us, live_us in steps:
            now_us += span_us
            expected = announce(known, gateway_id, live_us, now_us)
            answer = await executor.call("gateways/announce", [key], [gateway_id, live_us, str(now_us)])
            stored = await executor.command("ZRANGE", key, 0, -1, "WITHSCORES")
            assert expected == answer
            assert {name.decode(): int(score) for name, score in zip(stored[::2], stored[1::2], strict=True)} == known

    runner.run(replay())
