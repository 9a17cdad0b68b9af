"""How circuits open."""

import pytest

from domain.durations import SECOND_US
from domain.resilience import circuit_breaker
from domain.resilience.circuit_breaker import (
    Circuit,
    CircuitBreakerConfig,
    CircuitState,
    Denial,
    Permit,
    Transition,
    TransitionReason,
)
from domain.resilience.outcome import Outcome
from domain.routing.decision import Exclusion
from tests.unit.resilience.guarded_instance import GuardedInstance

NEVER_IN_A_ROW = CircuitBreakerConfig(consecutive_failures=1_000)


def alternate(instance: GuardedInstance, outcomes: str) -> list[Transition | None]:
    """Calls by letters: f(ailure), s(uccess), i(gnored), l(ate but successful)."""
    kinds = {"f": Outcome.FAILURE, "s": Outcome.SUCCESS, "i": Outcome.IGNORED, "l": Outcome.SUCCESS}
    return [instance.call(kinds[letter], slow=letter == "l") for letter in outcomes]


def test_new_circuit_is_closed_and_permits_without_changing() -> None:
    instance = GuardedInstance()
    before = instance.circuit
    assert instance.acquire("a") == Permit(generation=0, probe=False)
    assert instance.circuit is before


def test_circuit_opens_on_the_third_failure_in_a_row() -> None:
    instance = GuardedInstance()
    transitions = alternate(instance, "fff")
    expected = Transition(
        CircuitState.CLOSED, CircuitState.OPEN, TransitionReason.CONSECUTIVE_FAILURES, instance.now_us
    )
    assert transitions == [None, None, expected]
    assert instance.circuit.opened_at_us == instance.now_us


def test_success_starts_the_count_of_failures_in_a_row_again() -> None:
    instance = GuardedInstance()
    alternate(instance, "ffsffsff")
    assert instance.state is CircuitState.CLOSED


def test_ignored_outcome_does_not_interrupt_failures_in_a_row() -> None:
    instance = GuardedInstance()
    alternate(instance, "ffif")
    assert instance.state is CircuitState.OPEN


def test_client_errors_and_cancellations_never_open_a_circuit() -> None:
    instance = GuardedInstance()
    before = instance.circuit
    alternate(instance, "i" * 200)
    assert instance.circuit is before


def test_failure_rate_opens_with_enough_calls() -> None:
    instance = GuardedInstance(NEVER_IN_A_ROW)
    transitions = alternate(instance, "fsfsfsfsfs")
    assert [transition is not None for transition in transitions] == [False] * 9 + [True]
    assert transitions[-1] is not None
    assert transitions[-1].reason == TransitionReason.FAILURE_RATE


def test_failure_rate_below_the_threshold_does_not_open() -> None:
    instance = GuardedInstance(NEVER_IN_A_ROW)
    alternate(instance, "fsfsfsfsss" + "fs" * 50)
    assert instance.state is CircuitState.CLOSED


def test_failure_rate_with_too_few_calls_does_not_open() -> None:
    instance = GuardedInstance(NEVER_IN_A_ROW)
    alternate(instance, "fffffffff")
    assert instance.state is CircuitState.CLOSED


def test_failures_that_left_the_window_do_not_count() -> None:
    instance = GuardedInstance(NEVER_IN_A_ROW)
    alternate(instance, "fffff")
    instance.wait(30 * SECOND_US)
    alternate(instance, "sssss")
    assert instance.state is CircuitState.CLOSED
    assert instance.circuit.window.calls == 5


def test_failures_at_the_edge_of_the_window_do_count() -> None:
    instance = GuardedInstance(NEVER_IN_A_ROW)
    alternate(instance, "fffff")
    instance.wait(30 * SECOND_US - 1)
    alternate(instance, "sssss")
    assert instance.state is CircuitState.OPEN


def test_slow_calls_open_although_they_succeed() -> None:
    instance = GuardedInstance()
    transitions = alternate(instance, "l" * 10)
    assert instance.state is CircuitState.OPEN
    assert transitions[-1] is not None
    assert transitions[-1].reason == TransitionReason.SLOW_CALL_RATE


def test_one_quick_call_keeps_a_slow_instance_in_use_at_a_rate_of_one() -> None:
    instance = GuardedInstance()
    alternate(instance, "s" + "l" * 20)
    assert instance.state is CircuitState.CLOSED


def test_open_circuit_denies_and_tells_when_it_is_due() -> None:
    instance = GuardedInstance()
    instance.open()
    before = instance.circuit
    instance.wait(2 * SECOND_US)
    assert instance.acquire("a") == Denial(Exclusion.CIRCUIT_OPEN, 3 * SECOND_US)
    assert instance.circuit is before


def test_report_of_a_call_from_before_the_opening_moves_nothing() -> None:
    instance = GuardedInstance()
    permit = instance.acquire("early bird")
    assert isinstance(permit, Permit)
    instance.open()
    before = instance.circuit
    assert instance.report("early bird", Outcome.FAILURE, generation=permit.generation) is None
    assert instance.circuit is before


def test_generation_is_compared_for_inequality_not_for_order() -> None:
    instance = GuardedInstance(circuit=Circuit(generation=3))
    for generation in (2, 4, 1_000):
        instance.report("a", Outcome.FAILURE, generation=generation)
    assert instance.circuit.consecutive_failures == 0


def test_ejection_cap_is_a_floor_with_at_least_one() -> None:
    half = CircuitBreakerConfig(max_open_fraction=0.5)
    assert [circuit_breaker.max_open(half, members) for members in range(1, 8)] == [1, 1, 1, 2, 2, 3, 3]
    assert circuit_breaker.max_open(CircuitBreakerConfig(max_open_fraction=0.29), 100) == 29
    assert circuit_breaker.max_open(CircuitBreakerConfig(max_open_fraction=0), 50) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"window_us": SECOND_US - 1},
        {"minimum_calls": 0},
        {"failure_rate": 0.0},
        {"failure_rate": 1.01},
        {"slow_call_rate": 0.0},
        {"slow_call_duration_us": 0},
        {"consecutive_failures": 0},
        {"open_duration_us": 0},
        {"open_duration_us": 301 * SECOND_US},
        {"half_open_probes": 0},
        {"probes_to_close": 0},
        {"max_open_fraction": 1.5},
        {"max_open_fraction": -0.1},
        {"slow_start_us": -1},
    ],
)
def test_config_out_of_range_does_not_construct(wrong: dict[str, int]) -> None:
    name = "max_open_duration_us" if wrong == {"open_duration_us": 301 * SECOND_US} else next(iter(wrong))
    with pytest.raises(ValueError, match=f"circuit breaker: {name}"):
        CircuitBreakerConfig(**wrong)
