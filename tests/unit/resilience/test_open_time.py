"""How long circuits stay open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.durations import SECOND_US
from domain.resilience.circuit_breaker import CircuitBreakerConfig, CircuitState, Permit, TransitionReason
from domain.resilience.outcome import Outcome
from tests.unit.resilience.guarded_instance import GuardedInstance

CONFIG = CircuitBreakerConfig()


def test_open_time_doubles_with_each_failed_probe_up_to_the_cap() -> None:
    instance = GuardedInstance()
    instance.open()
    spans_s = []
    for _ in range(9):
        spans_s.append(instance.open_us // SECOND_US)
        instance.wait_until_due()
        instance.call(Outcome.FAILURE)
    assert spans_s == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_open_time_of_a_circuit_that_opened_very_often_is_the_cap() -> None:
    assert CONFIG.jittered_open_us(100_000, 1.0) == CONFIG.max_open_duration_us


@pytest.mark.parametrize(("jitter", "span_us"), [(0.0, 2_500_000), (0.5, 3_750_000), (1.0, 5_000_000)])
def test_open_time_is_half_certain_and_half_jitter(jitter: float, span_us: int) -> None:
    instance = GuardedInstance(jitter=jitter)
    instance.open()
    assert instance.open_us == span_us


@given(st.integers(1, 60), st.floats(0, 1, exclude_max=True))
def test_open_time_stays_between_half_and_all_of_its_span(opens: int, jitter: float) -> None:
    whole_us = min(CONFIG.max_open_duration_us, CONFIG.open_duration_us * 2 ** (opens - 1))
    assert whole_us // 2 <= CONFIG.jittered_open_us(opens, jitter) <= whole_us


def test_open_time_is_never_nothing() -> None:
    assert CircuitBreakerConfig(open_duration_us=1).jittered_open_us(1, 0.0) == 1


def test_open_time_of_a_flapping_upstream_grows() -> None:
    instance = GuardedInstance()
    spans_s = []
    for _ in range(4):
        instance.open()
        spans_s.append(instance.open_us // SECOND_US)
        instance.recover()
        instance.wait(20 * SECOND_US)
        instance.call(Outcome.SUCCESS)
        instance.call(Outcome.SUCCESS)
    assert spans_s == [5, 10, 20, 40]


def test_open_time_starts_small_again_after_lasting_success() -> None:
    instance = GuardedInstance()
    for _ in range(3):
        instance.open()
        instance.recover()
    instance.wait(CONFIG.max_open_duration_us)
    instance.call(Outcome.SUCCESS)
    instance.open()
    assert instance.open_us == 5 * SECOND_US


@pytest.mark.parametrize(("wait_us", "outcome"), [(-1, Outcome.SUCCESS), (0, Outcome.FAILURE), (0, Outcome.IGNORED)])
def test_open_time_is_remembered_without_lasting_success(wait_us: int, outcome: Outcome) -> None:
    instance = GuardedInstance(CircuitBreakerConfig(consecutive_failures=4))
    instance.open()
    instance.recover()
    instance.wait(CONFIG.max_open_duration_us + wait_us)
    instance.call(outcome)
    while instance.state is CircuitState.CLOSED:
        instance.call(Outcome.FAILURE)
    assert instance.open_us == 10 * SECOND_US


def test_last_resort_probes_an_open_circuit_before_its_time() -> None:
    instance = GuardedInstance()
    instance.open()
    assert instance.acquire("a", last_resort=True) == Permit(generation=2, probe=True)
    assert instance.circuit.reason == TransitionReason.LAST_RESORT


def test_failed_early_probes_neither_escalate_nor_prolong() -> None:
    instance = GuardedInstance()
    instance.open()
    due_us = instance.circuit.open_until_us
    for _ in range(4):
        instance.wait(SECOND_US)
        instance.call(Outcome.FAILURE, last_resort=True)
        assert instance.state is CircuitState.OPEN
        assert (instance.circuit.opens, instance.circuit.open_until_us) == (1, due_us)
    instance.wait_until_due()
    instance.call(Outcome.FAILURE)
    assert (instance.circuit.opens, instance.open_us) == (2, 10 * SECOND_US)


def test_early_probe_that_fails_after_the_open_time_costs_the_same_time_again() -> None:
    instance = GuardedInstance()
    instance.open()
    instance.acquire("a", last_resort=True)
    instance.wait(7 * SECOND_US)
    instance.report("a", Outcome.FAILURE)
    assert (instance.circuit.opens, instance.open_us) == (1, 5 * SECOND_US)


def test_due_probe_after_a_lost_early_one_escalates() -> None:
    instance = GuardedInstance()
    instance.open()
    instance.acquire("lost", last_resort=True)
    instance.wait(10 * SECOND_US)
    instance.call(Outcome.FAILURE)
    assert instance.circuit.opens == 2


def test_successful_early_probes_close_the_circuit() -> None:
    instance = GuardedInstance()
    instance.open()
    for _ in range(2):
        instance.call(Outcome.SUCCESS, last_resort=True)
    assert instance.state is CircuitState.CLOSED
