"""What only the shared store can get wrong: keys, their lifetime, several processes, and a clock that goes back."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from adapters.outbound.redis.admission import RedisAdmission
from adapters.outbound.redis.budget import RedisBudgets
from adapters.outbound.redis.connection import connect
from adapters.outbound.redis.executor import RedisExecutor
from adapters.testing.admission.decision_contract import every_limit
from adapters.testing.admission.harness import LEASE_US, OF_A_MINUTE, AdmissionHarness, parallel, rpm
from adapters.testing.admission.reservation_contract import asking, attempt_of, desk_of
from adapters.testing.budget_support import ACCOUNT
from adapters.testing.virtual_time import EPOCH_US, ManualClock
from domain.budget.answers import Refused
from domain.durations import MINUTE_US, SECOND_US
from domain.limits.admission import REMEMBERED_US, CallerAdmissionRequest
from domain.limits.limit import Algorithm, Limit
from tests.servers.fixtures import PATIENT

PROCESSES = 4
LONGEST_TTL_MS = (REMEMBERED_US + MINUTE_US) // 1_000 + 1


@pytest.fixture
def harness(redis_executor: RedisExecutor, redis_prefix: str) -> AdmissionHarness:
    clock = ManualClock()

    def now() -> str:
        return str(clock.now_us())

    budgets = RedisBudgets(redis_executor, redis_prefix, now)
    return AdmissionHarness(RedisAdmission(redis_executor, redis_prefix, now), clock, budgets=budgets)


async def stored(url: str, prefix: str) -> dict[str, tuple[bytes, int]]:
    """Every key of the test with its content and its TTL in milliseconds."""
    client: Any = connect(url, PATIENT)
    try:
        keys = [key async for key in client.scan_iter(match=f"{prefix}*", count=1000)]
        names = [key.decode() if isinstance(key, bytes) else key for key in keys]
        return {name: (await client.dump(name), await client.pttl(name)) for name in names}
    finally:
        await client.aclose()


async def test_refused_and_repeated_leave_every_key_as_it_was(
    harness: AdmissionHarness, redis_url: str, redis_prefix: str
) -> None:
    limits = every_limit(2)
    first = await harness.take(*limits, tokens=1)
    await harness.take(*limits, tokens=1)
    before = {name: content for name, (content, _) in (await stored(redis_url, redis_prefix)).items()}

    harness.clock.advance(3 * SECOND_US)
    await harness.refused(*limits, tokens=1)
    await harness.admission.admit(first)

    after = {name: content for name, (content, _) in (await stored(redis_url, redis_prefix)).items()}
    assert after == before
    assert len(before) == len(limits) + 2


async def test_every_key_ends_by_itself_whatever_was_done_to_it(
    harness: AdmissionHarness, redis_url: str, redis_prefix: str
) -> None:
    async def ttls_ms() -> list[int]:
        return [ttl_ms for _, ttl_ms in (await stored(redis_url, redis_prefix)).values()]

    seen = []
    first = await harness.take(*every_limit(99), tokens=4)
    seen += await ttls_ms()
    await harness.admission.renew(first)
    seen += await ttls_ms()
    await harness.admission.settle(first, 5)
    seen += await ttls_ms()
    await harness.admission.release(await harness.take(*every_limit(99), tokens=4))
    seen += await ttls_ms()

    assert min(seen) > 0
    assert max(seen) <= LONGEST_TTL_MS


async def test_what_a_budget_refuses_and_what_is_repeated_leave_every_key_as_it_was(
    harness: AdmissionHarness, redis_url: str, redis_prefix: str
) -> None:
    key = await desk_of(harness).opened("key", 100)
    first = asking(harness, 60, (key,), *every_limit(9), tokens=1)
    await harness.admission.admit(first)
    before = {name: content for name, (content, _) in (await stored(redis_url, redis_prefix)).items()}

    harness.clock.advance(3 * SECOND_US)
    assert isinstance(await harness.admission.admit(asking(harness, 41, (key,), *every_limit(9))), Refused)
    await harness.admission.admit(first)

    after = {name: content for name, (content, _) in (await stored(redis_url, redis_prefix)).items()}
    assert after == before
    assert len(before) == len(every_limit(9)) + 4


async def test_every_key_of_a_request_with_a_reservation_ends_by_itself(
    harness: AdmissionHarness, redis_url: str, redis_prefix: str
) -> None:
    soft = desk_of(harness).charge("soft", 100, hard=False)

    await harness.admission.admit(asking(harness, 60, (soft,), *every_limit(9), tokens=1))

    lasting = {name: ttl_ms for name, (_, ttl_ms) in (await stored(redis_url, redis_prefix)).items() if ttl_ms <= 0}
    assert lasting == {}


async def withdraw(harness: AdmissionHarness, request: CallerAdmissionRequest) -> int:
    """As it is owed where the answer of the admission was lost."""
    admission = harness.admission
    assert isinstance(admission, RedisAdmission)
    taken: int = await admission._executor.call(*admission._withdrawal(request).question)
    return taken


@pytest.mark.parametrize("limits", [(), every_limit(5)], ids=["budgets alone", "with limits"])
async def test_a_withdrawn_admission_was_never_there_and_is_found_once_it_was(
    harness: AdmissionHarness, limits: tuple[Limit, ...]
) -> None:
    desk = desk_of(harness)
    key = await desk.opened("key", 100)
    request = asking(harness, 60, (key,), *limits, tokens=3)
    assert await withdraw(harness, request) == 0
    await harness.admission.admit(request)
    assert await desk.money(key.of) == (0, 60)

    assert await withdraw(harness, request) == 1

    assert await desk.money(key.of) == (0, 0)
    assert [await harness.left(limit) for limit in limits] == [5] * len(limits)
    assert await withdraw(harness, request) == 1
    assert await desk.money(key.of) == (0, 0)


async def test_a_withdrawal_takes_back_nothing_that_was_settled(harness: AdmissionHarness) -> None:
    desk = desk_of(harness)
    key = await desk.opened("key", 100)
    request = asking(harness, 60, (key,), rpm(5))
    await harness.admission.admit(request)
    await desk.budgets.settle(ACCOUNT, attempt_of(request), 25)

    await withdraw(harness, request)

    assert await desk.money(key.of) == (25, 0)


async def test_windows_in_use_get_a_new_ttl_with_each_new_bucket(
    harness: AdmissionHarness, redis_executor: RedisExecutor, redis_url: str, redis_prefix: str
) -> None:
    limits = (rpm(9), rpm(9, Algorithm.FIXED_WINDOW, "fixed"))
    await harness.take(*limits)
    windows = [name for name in await stored(redis_url, redis_prefix) if "admitted" not in name]
    for window in windows:
        await redis_executor.command("PEXPIRE", window, 20_000)
    harness.clock.advance(MINUTE_US)

    await harness.take(*limits)

    after = await stored(redis_url, redis_prefix)
    assert len(windows) == 2
    assert [after[window][1] for window in windows if after[window][1] <= 20_000] == []


async def test_a_slot_outlives_its_renewals(harness: AdmissionHarness, redis_url: str, redis_prefix: str) -> None:
    await harness.take(parallel(2))
    slots = next(name for name in await stored(redis_url, redis_prefix) if ":ls:" in name)

    ttl_ms = (await stored(redis_url, redis_prefix))[slots][1]

    assert ttl_ms > LEASE_US // 1_000


async def test_a_window_holds_no_more_buckets_than_it_needs(
    harness: AdmissionHarness, redis_executor: RedisExecutor, redis_url: str, redis_prefix: str
) -> None:
    for _ in range(200):
        await harness.take(rpm(1_000))
        harness.clock.advance(SECOND_US)

    window = next(name for name in await stored(redis_url, redis_prefix) if ":sw:" in name)
    assert await redis_executor.command("HLEN", window) <= 61 + 3


async def admitted_by_process(url: str, prefix: str, now_us: str, algorithm: Algorithm, number: int) -> int:
    program = Path(__file__).with_name("admission_process.py")
    arguments = (url, prefix, now_us, algorithm.value, "100", "60", f"process-{number}")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(program), *arguments, env=environment, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return int(output)


@pytest.mark.parametrize("algorithm", OF_A_MINUTE)
async def test_processes_on_one_key_admit_the_limit_together_and_exactly(
    redis_url: str, redis_prefix: str, algorithm: Algorithm
) -> None:
    # The sliding window goes by the server's own time; the others would refill, or begin anew, while the test runs.
    now_us = "" if algorithm is Algorithm.SLIDING_WINDOW else str(EPOCH_US)

    admitted = await asyncio.gather(
        *(admitted_by_process(redis_url, redis_prefix, now_us, algorithm, number) for number in range(PROCESSES))
    )

    assert sum(admitted) == 100


@pytest.mark.parametrize("algorithm", OF_A_MINUTE)
async def test_a_clock_that_goes_back_a_little_admits_nobody_twice(
    harness: AdmissionHarness, algorithm: Algorithm
) -> None:
    harness.clock.advance(2 * SECOND_US)
    for _ in range(3):
        await harness.take(rpm(3, algorithm))

    harness.clock.advance(-5 * SECOND_US)

    wait_us = (await harness.refused(rpm(3, algorithm))).decision.retry_after_us
    assert wait_us is not None
    assert 0 < wait_us <= 66 * SECOND_US


@pytest.mark.parametrize("algorithm", OF_A_MINUTE)
async def test_a_clock_that_goes_back_an_hour_does_not_block_for_an_hour(
    harness: AdmissionHarness, algorithm: Algorithm
) -> None:
    for _ in range(3):
        await harness.take(rpm(3, algorithm))

    harness.clock.advance(-60 * MINUTE_US)

    for _ in range(3):
        await harness.take(rpm(3, algorithm))
    await harness.refused(rpm(3, algorithm))
