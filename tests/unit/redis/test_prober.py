import asyncio
from typing import cast

import pytest

from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.lua_scripts import ScriptError
from adapters.outbound.redis.prober import JITTER, PROBE_EVERY_US, Prober
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.testing.doubles import SeededRandomness
from adapters.testing.virtual_time import VirtualClock, run_virtual
from application.errors import StateUnavailable
from domain.durations import MINUTE_US, SECOND_US


class FakeExecutor:
    """Serves again after a while; keeps when it was asked."""

    def __init__(self, clock: VirtualClock, back_us: int, loading: Exception | None = None) -> None:
        self._clock = clock
        self._back_us = back_us
        self.loading = loading
        self.asked_us: list[int] = []
        self.loads = 0

    async def serves_again(self) -> bool:
        self.asked_us.append(self._clock.monotonic_us())
        return self._clock.monotonic_us() >= self._back_us

    async def load(self) -> None:
        self.loads += 1
        if self.loading is not None and self.loads == 1:
            raise self.loading


def _live(back_us: int, loading: Exception | None = None, *, down: bool = True) -> tuple[FakeExecutor, StoreBreaker]:
    async def run() -> tuple[FakeExecutor, StoreBreaker]:
        clock = VirtualClock()
        breaker = StoreBreaker(clock)
        executor = FakeExecutor(clock, back_us, loading)
        prober = Prober(cast("RedisExecutor", executor), breaker, clock, SeededRandomness())
        task = asyncio.ensure_future(prober.run())
        await asyncio.sleep(1)
        if down:
            breaker.trip("x")
        await clock.sleep(2 * MINUTE_US)
        task.cancel()
        return executor, breaker

    return run_virtual(run())


def test_while_redis_is_up_it_is_not_asked() -> None:
    executor, _ = _live(0, down=False)

    assert executor.asked_us == []


def test_while_redis_is_down_it_is_asked_every_half_second_with_jitter() -> None:
    executor, breaker = _live(10 * MINUTE_US)

    spans = [after - before for before, after in zip(executor.asked_us, executor.asked_us[1:], strict=False)]
    assert len(spans) > 200
    assert min(spans) >= PROBE_EVERY_US * (1 - JITTER)
    assert max(spans) <= PROBE_EVERY_US * (1 + JITTER)
    assert max(spans) - min(spans) > PROBE_EVERY_US * JITTER
    assert breaker.is_open
    assert executor.loads == 0


def test_when_redis_is_back_scripts_are_loaded_and_the_breaker_closes() -> None:
    executor, breaker = _live(20 * SECOND_US)

    assert not breaker.is_open
    assert executor.loads == 1
    assert executor.asked_us[-1] - 20 * SECOND_US <= PROBE_EVERY_US * (1 + JITTER)


def test_redis_that_goes_away_again_while_scripts_are_loaded_is_asked_again() -> None:
    executor, breaker = _live(20 * SECOND_US, StateUnavailable("away"))

    assert not breaker.is_open
    assert executor.loads == 2


def test_a_script_that_cannot_be_loaded_does_not_keep_the_store_away(caplog: pytest.LogCaptureFixture) -> None:
    _, breaker = _live(20 * SECOND_US, ScriptError("try/wrong.lua: no"))

    assert not breaker.is_open
    assert "a script cannot be loaded" in caplog.text
