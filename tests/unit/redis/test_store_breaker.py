import asyncio

import pytest

from adapters.outbound.redis.store_breaker import CONSECUTIVE_FAILURES, PROBATION_US, WINDOW_US, StoreBreaker
from adapters.testing.virtual_time import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def breaker(clock: ManualClock) -> StoreBreaker:
    return StoreBreaker(clock)


def test_five_failures_in_a_row_open_it_and_four_do_not(breaker: StoreBreaker) -> None:
    for _ in range(CONSECUTIVE_FAILURES - 1):
        breaker.failed("x")
    after_four = breaker.is_open

    breaker.failed("x")

    assert (after_four, breaker.is_open) == (False, True)


def test_a_success_in_between_starts_the_row_again(breaker: StoreBreaker) -> None:
    for _ in range(3):
        for _ in range(CONSECUTIVE_FAILURES - 1):
            breaker.failed("x")
        breaker.succeeded()

    assert not breaker.is_open


def _alternate(breaker: StoreBreaker, calls: int) -> None:
    for number in range(calls):
        if number % 2:
            breaker.failed("x")
        else:
            breaker.succeeded()


def test_half_of_twenty_calls_within_a_second_open_it(breaker: StoreBreaker) -> None:
    _alternate(breaker, 18)
    breaker.succeeded()
    before = breaker.is_open

    breaker.failed("x")

    assert (before, breaker.is_open) == (False, True)


def test_less_than_half_do_not(breaker: StoreBreaker) -> None:
    for _ in range(100):
        breaker.succeeded()
        breaker.succeeded()
        breaker.failed("x")

    assert not breaker.is_open


def test_what_happened_a_second_ago_is_not_counted(breaker: StoreBreaker, clock: ManualClock) -> None:
    _alternate(breaker, 19)
    clock.advance(WINDOW_US)

    breaker.failed("x")

    assert not breaker.is_open


def test_successes_do_not_close_it(breaker: StoreBreaker) -> None:
    breaker.trip("x")

    breaker.succeeded()

    assert breaker.is_open


def test_each_transition_is_one_line_and_calls_the_acts_once(
    breaker: StoreBreaker, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    acts: list[bool] = []
    breaker.on_recovery(lambda: acts.append(breaker.is_open))
    breaker.recovered()
    for _ in range(1_000):
        breaker.failed("TimeoutError")
    clock.advance(2_500_000)
    breaker.recovered()
    breaker.recovered()

    assert acts == [False]
    assert [record.getMessage() for record in caplog.records] == [
        "redis is unavailable (TimeoutError): going on without it as configured",
        "redis is back after 2.5 s",
    ]


def test_right_after_recovery_one_failure_opens_it_again(breaker: StoreBreaker, clock: ManualClock) -> None:
    breaker.trip("x")
    breaker.recovered()
    clock.advance(PROBATION_US - 1)

    breaker.failed("x")

    assert breaker.is_open


def test_a_second_after_recovery_it_bears_failures_as_before(breaker: StoreBreaker, clock: ManualClock) -> None:
    breaker.trip("x")
    breaker.recovered()
    clock.advance(PROBATION_US)

    for _ in range(CONSECUTIVE_FAILURES - 1):
        breaker.failed("x")

    assert not breaker.is_open


async def test_who_waits_for_it_to_open_is_woken(breaker: StoreBreaker) -> None:
    waiting = asyncio.ensure_future(breaker.wait_until_open())
    await asyncio.sleep(0)
    early = waiting.done()

    breaker.trip("x")
    await waiting

    assert not early


async def test_who_waits_after_recovery_waits_for_the_next_time(breaker: StoreBreaker) -> None:
    breaker.trip("x")
    breaker.recovered()
    waiting = asyncio.ensure_future(breaker.wait_until_open())
    await asyncio.sleep(0)

    assert not waiting.done()
    waiting.cancel()
