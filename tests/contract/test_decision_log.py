import asyncio
from collections.abc import Awaitable

import pytest

from adapters.outbound.memory.decision_log import MemoryDecisionLog
from adapters.outbound.memory.gateway_registry import MemoryGatewayRegistry
from adapters.outbound.redis.decision_log import (
    BATCH,
    LONGEST_S,
    MOST_KEPT_BYTES,
    MOST_RECENT,
    MOST_WAITING,
    RedisDecisionLog,
)
from adapters.outbound.redis.executor import RedisExecutor
from adapters.testing.decision_log_contract import DecisionLogContract, trace_of
from adapters.testing.virtual_time import ManualClock
from application.errors import StateUnavailable
from application.ports.decision_log import DecisionLog, DecisionsWanted
from domain.identifiers import RequestId


def shared(executor: RedisExecutor, prefix: str) -> RedisDecisionLog:
    return RedisDecisionLog(executor, prefix, ManualClock(), MemoryGatewayRegistry(), MemoryDecisionLog())


class TestMemoryDecisionLog(DecisionLogContract):
    @pytest.fixture
    def decision_log(self) -> DecisionLog:
        return MemoryDecisionLog()


class TestRedisDecisionLog(DecisionLogContract):
    @pytest.fixture
    def decision_log(self, redis_executor: RedisExecutor, redis_prefix: str) -> DecisionLog:
        return shared(redis_executor, redis_prefix)

    async def settle(self, decision_log: DecisionLog) -> None:
        assert isinstance(decision_log, RedisDecisionLog)
        await decision_log.flush()

    async def test_what_one_process_has_finished_every_other_finds_whole(
        self, redis_executor: RedisExecutor, redis_prefix: str
    ) -> None:
        one, other = (shared(redis_executor, redis_prefix) for _ in range(2))
        for number in range(BATCH + 5):
            one.finished(trace_of(f"r-{number}"))
        await one.flush()

        assert await other.find(RequestId("r-0")) == trace_of("r-0")
        assert await other.find(RequestId(f"r-{BATCH + 4}")) == trace_of(f"r-{BATCH + 4}")
        assert len(await other.recent(DecisionsWanted(limit=1_000))) == BATCH + 5

    async def test_of_two_processes_the_later_finish_is_first_though_it_was_sent_first(
        self, redis_executor: RedisExecutor, redis_prefix: str
    ) -> None:
        one, other = (shared(redis_executor, redis_prefix) for _ in range(2))
        other.finished(trace_of("earlier", finished_us=10))
        one.finished(trace_of("later", finished_us=20))
        await one.flush()
        await other.flush()

        for log in (one, other):
            assert [trace.request_id for trace in await log.recent(DecisionsWanted())] == ["later", "earlier"]

    async def test_only_the_last_thousand_to_finish_are_listed(
        self, redis_executor: RedisExecutor, redis_prefix: str
    ) -> None:
        log = shared(redis_executor, redis_prefix)
        for number in range(MOST_RECENT + BATCH):
            log.finished(trace_of(f"r-{number}", finished_us=number))
        await log.flush()

        recent = await log.recent(DecisionsWanted(limit=MOST_RECENT + BATCH))

        assert len(recent) == await redis_executor.command("ZCARD", f"{redis_prefix}{{d}}:latest") == MOST_RECENT
        assert recent[-1].request_id == f"r-{BATCH}"

    async def test_every_key_expires(self, redis_executor: RedisExecutor, redis_prefix: str) -> None:
        log = shared(redis_executor, redis_prefix)
        log.finished(trace_of("r-1"))
        await log.flush()

        for key in (f"{redis_prefix}{{d:r-1}}", f"{redis_prefix}{{d}}:latest"):
            assert LONGEST_S - 5 <= await redis_executor.command("TTL", key) <= LONGEST_S

    @pytest.mark.parametrize("attempts", [1, 30])
    async def test_traces_stay_a_shorter_time_where_more_comes_than_they_may_take(
        self, redis_executor: RedisExecutor, redis_prefix: str, attempts: int
    ) -> None:
        log, trace = shared(redis_executor, redis_prefix), trace_of("r-1")
        trace.attempts *= attempts
        for _ in range(200):
            for _ in range(25):
                log.finished(trace)
            await log.flush()
            log._measure()
        log.finished(trace)
        await log.flush()

        key = f"{redis_prefix}{{d:r-1}}"
        takes_bytes = await redis_executor.command("MEMORY", "USAGE", key)
        kept_bytes = takes_bytes * 100 * await redis_executor.command("TTL", key)
        assert 0.7 < kept_bytes / MOST_KEPT_BYTES < 1.15


class AwayExecutor:
    def ask(self, *words: object) -> Awaitable[object]:
        return asyncio.ensure_future(self.command(*words))

    async def command(self, *_words: object) -> object:
        raise StateUnavailable("away")


async def test_while_redis_is_away_own_traces_are_found_and_the_others_are_dropped_and_counted() -> None:
    log = shared(AwayExecutor(), "p:")  # type: ignore[arg-type]
    for number in range(MOST_WAITING + 3):
        log.finished(trace_of(f"r-{number}"))

    await log.flush()

    assert log.dropped == MOST_WAITING + 3
    assert await log.find(RequestId(f"r-{MOST_WAITING}")) == trace_of(f"r-{MOST_WAITING}")
    with pytest.raises(StateUnavailable):
        await log.find(RequestId("r-2"))
