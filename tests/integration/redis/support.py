"""Small scripts, and executors that run them."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from adapters.outbound.redis.connection import Timeouts, connect
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.lane import Lane
from adapters.outbound.redis.lanes import SingleLane
from adapters.outbound.redis.lua_scripts import all_scripts, scripts_folder
from adapters.outbound.redis.prober import Prober
from adapters.outbound.redis.routing import RedisRouting
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.system.clock import SystemClock
from adapters.testing.doubles import SeededRandomness, SpyEventSink
from adapters.testing.routing.harness import CONFIG, RoutingHarness, instance, weighted
from adapters.testing.virtual_time import ManualClock
from tests.servers.fixtures import PATIENT

LOGGER = "moongate.store"
ASKERS = 12
ROUNDS = 25

_HEADER = """-- {name}.lua: a script for tests.
--
-- KEYS[1]  key      string   anything
-- ARGV[1]  word     string   anything
--
-- Returns  {{word}}
-- Writes   KEYS[1], for a minute
-- Mirrors  domain.durations:ceil_seconds
"""

SCRIPTS = {
    "try/echo": "return {ARGV[1]}",
    "try/keep": "redis.call('SET', KEYS[1], ARGV[1], 'PX', 60000)\nreturn redis.call('GET', KEYS[1])",
    "try/count": "local n = redis.call('INCRBY', KEYS[1], ARGV[1])\nredis.call('PEXPIRE', KEYS[1], 60000)\nreturn n",
    "try/broken": "return redis.call('HGET', KEYS[1], nil)",
}


def write_scripts(folder: Path, scripts: dict[str, str]) -> Path:
    for name, body in scripts.items():
        path = folder / f"{name}.lua"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_HEADER.format(name=name) + body + "\n", encoding="utf-8")
    return folder


@dataclass
class Store:
    executor: RedisExecutor
    breaker: StoreBreaker

    async def echo(self, word: str, key: str = "{t}:k") -> str:
        answer: list[bytes] = await self.executor.call("try/echo", [key], [word])
        return answer[0].decode()


@contextlib.asynccontextmanager
async def store(url: str, folder: Path, timeouts: Timeouts = PATIENT, *, load: bool = True) -> AsyncIterator[Store]:
    """An executor on `url` with the scripts of `folder`, and a prober beside it."""
    clock = SystemClock()
    breaker = StoreBreaker(clock)
    executor = RedisExecutor(connect(url, timeouts), all_scripts(folder), timeouts, breaker)
    prober = asyncio.ensure_future(Prober(executor, breaker, clock, SeededRandomness()).run())
    try:
        if load:
            await executor.load()
        yield Store(executor, breaker)
    finally:
        prober.cancel()
        await executor.aclose()


def lane_of(running: Store) -> Lane:
    """The lane to the one server."""
    lanes = running.executor._lanes
    assert isinstance(lanes, SingleLane)
    return lanes._lane


async def count(running: Store, key: str = "{t}:count", by: int = 1) -> int:
    counted: int = await running.executor.call("try/count", [key], [by])
    return counted


async def turns(number: int) -> None:
    """Some turns of the event loop: what is asked after them leaves in another batch."""
    for _ in range(number):
        await asyncio.sleep(0)


async def _report_and_admit(harness: RoutingHarness, name: str) -> None:
    """One caller after the other on an instance that takes one at a time: none is refused."""
    plan = weighted((instance(name, max_parallel=1), 1), key=name)
    for number in range(ROUNDS):
        held = await harness.take(plan, lease=f"{name}-{number}")
        held.end(latency_us=5)
        await turns(number % 4)


async def admit_in_turn(url: str, prefix: str) -> None:
    """Callers at once, each on an instance of its own, one after the other."""
    async with store(url, scripts_folder()) as running:
        clock, events = ManualClock(), SpyEventSink()
        harness = RoutingHarness(RedisRouting(running.executor, CONFIG, clock, events, prefix), clock, events)
        await asyncio.gather(*(_report_and_admit(harness, f"i{number}") for number in range(ASKERS)))


def lines_of(records: list[logging.LogRecord]) -> list[str]:
    return [record.getMessage() for record in records if record.name == LOGGER]
