"""Operators, health checks, and the table of moves."""

from itertools import product

import pytest

from domain.durations import SECOND_US
from domain.resilience import circuit_breaker
from domain.resilience.circuit import LEGAL_MOVES, move
from domain.resilience.circuit_breaker import (
    Circuit,
    CircuitState,
    Denial,
    Permit,
    TransitionReason,
    force,
    half_open,
    is_due,
    transition_between,
)
from domain.resilience.outcome import Outcome
from domain.routing.decision import Exclusion
from tests.unit.resilience.guarded_instance import GuardedInstance

DAY_US = 86_400 * SECOND_US


def forced(instance: GuardedInstance, state: CircuitState | None) -> GuardedInstance:
    instance.circuit = force(instance.circuit, state, instance.now_us)
    return instance


def test_forced_open_circuit_is_never_probed() -> None:
    instance = forced(GuardedInstance(), CircuitState.OPEN)
    instance.wait(DAY_US)
    assert instance.acquire("a") == Denial(Exclusion.CIRCUIT_OPEN, None)
    assert instance.acquire("b", last_resort=True) == Denial(Exclusion.CIRCUIT_OPEN, None)
    assert not is_due(instance.circuit, instance.now_us)


def test_forced_closed_circuit_stays_closed_whatever_happens() -> None:
    instance = forced(GuardedInstance(), CircuitState.CLOSED)
    for _ in range(100):
        assert instance.call(Outcome.FAILURE, slow=True) is None
    assert instance.state is CircuitState.CLOSED


def test_forced_closed_circuit_forgets_earlier_trouble() -> None:
    instance = GuardedInstance()
    instance.open()
    forced(instance, CircuitState.CLOSED)
    assert instance.circuit.opens == 0
    assert instance.circuit.closed_at_us == instance.now_us
    forced(instance, None).open()
    assert instance.open_us == 5 * SECOND_US


def test_forcing_a_closed_circuit_closed_forgets_its_failures() -> None:
    instance = GuardedInstance()
    instance.call(Outcome.FAILURE)
    instance.call(Outcome.FAILURE)
    forced(forced(instance, CircuitState.CLOSED), None)
    instance.call(Outcome.FAILURE)
    assert instance.state is CircuitState.CLOSED
    assert instance.circuit.window.calls == 1
    assert instance.circuit.closed_at_us is None


def test_circuit_released_from_forced_open_is_probed_by_the_next_request() -> None:
    instance = forced(forced(GuardedInstance(), CircuitState.OPEN), None)
    assert is_due(instance.circuit, instance.now_us)
    assert instance.acquire("a") == Permit(generation=2, probe=True)


def test_releasing_a_circuit_that_is_not_forced_changes_nothing() -> None:
    instance = GuardedInstance()
    instance.open()
    assert force(instance.circuit, None, instance.now_us) is instance.circuit


@pytest.mark.parametrize("state", [CircuitState.OPEN, CircuitState.CLOSED])
def test_forcing_discards_probes_in_flight(state: CircuitState) -> None:
    instance = GuardedInstance()
    instance.open()
    instance.wait_until_due()
    permit = instance.acquire("a")
    assert isinstance(permit, Permit)
    forced(instance, state)
    assert instance.circuit.probes == ()
    assert instance.report("a", Outcome.FAILURE, generation=permit.generation) is None
    assert instance.state is state


def test_forcing_makes_a_transition_where_the_state_changes() -> None:
    before = Circuit()
    opened = force(before, CircuitState.OPEN, 7)
    transition = transition_between(before, opened, 7)
    assert transition is not None
    assert (transition.before, transition.after) == (CircuitState.CLOSED, CircuitState.OPEN)
    assert transition.reason == TransitionReason.FORCED
    assert opened.opened_at_us == 7
    assert transition_between(opened, force(opened, CircuitState.OPEN, 8), 8) is None


def test_half_open_cannot_be_forced() -> None:
    with pytest.raises(ValueError, match="not half-open"):
        force(Circuit(), CircuitState.HALF_OPEN, 0)


def checked(instance: GuardedInstance) -> GuardedInstance:
    instance.circuit = half_open(instance.circuit, instance.now_us)
    return instance


def test_passing_health_check_half_opens_an_open_circuit_and_lets_one_request_probe() -> None:
    instance = GuardedInstance()
    instance.open()
    before = instance.circuit
    checked(instance)
    transition = transition_between(before, instance.circuit, instance.now_us)
    assert transition is not None
    assert (transition.before, transition.after) == (CircuitState.OPEN, CircuitState.HALF_OPEN)
    assert transition.reason == TransitionReason.HEALTH_CHECK
    assert instance.acquire("a") == Permit(generation=2, probe=True)
    assert isinstance(instance.acquire("b"), Denial)


def test_passing_health_check_half_opens_a_circuit_that_is_due_as_well() -> None:
    instance = GuardedInstance()
    instance.open()
    instance.wait_until_due()
    due_us = instance.circuit.open_until_us
    instance.wait(SECOND_US)
    assert checked(instance).state is CircuitState.HALF_OPEN
    assert instance.circuit.open_until_us == due_us


def test_probe_that_fails_after_a_passing_health_check_opens_the_circuit_for_longer() -> None:
    instance = GuardedInstance()
    instance.open()
    first_us = instance.circuit.open_until_us - instance.now_us
    permit = checked(instance).acquire("a")
    assert isinstance(permit, Permit)
    instance.report("a", Outcome.FAILURE, generation=permit.generation)
    assert instance.state is CircuitState.OPEN
    assert instance.circuit.open_until_us - instance.now_us == 2 * first_us


def test_passing_health_check_leaves_closed_half_open_and_forced_circuits_alone() -> None:
    probed = GuardedInstance()
    probed.open()
    probed.acquire("a", last_resort=True)
    for circuit in (Circuit(), probed.circuit, force(Circuit(), CircuitState.OPEN, 9)):
        assert half_open(circuit, 5) is circuit


def test_circuit_is_due_from_the_end_of_its_open_time() -> None:
    instance = GuardedInstance()
    instance.open()
    due_us = instance.circuit.open_until_us
    assert [is_due(instance.circuit, now_us) for now_us in (due_us - 1, due_us)] == [False, True]
    assert not is_due(Circuit(), due_us)


@pytest.mark.parametrize(("before", "after"), list(product(CircuitState, repeat=2)))
def test_moves_outside_the_table_raise(before: CircuitState, after: CircuitState) -> None:
    circuit = Circuit(state=before)
    if after in LEGAL_MOVES[before]:
        assert move(circuit, after, TransitionReason.DUE).state is after
    else:
        with pytest.raises(ValueError, match=f"cannot go from {before} to {after}"):
            move(circuit, after, TransitionReason.DUE)


def test_table_of_moves_is_the_four_legal_ones() -> None:
    moves = {(before.value, after.value) for before, afters in LEGAL_MOVES.items() for after in afters}
    assert moves == {("closed", "open"), ("open", "half_open"), ("half_open", "closed"), ("half_open", "open")}


def test_only_an_operator_closes_an_open_circuit() -> None:
    circuit = Circuit(state=CircuitState.OPEN)
    assert move(circuit, CircuitState.CLOSED, TransitionReason.FORCED).state is CircuitState.CLOSED
    with pytest.raises(ValueError, match="cannot go"):
        move(circuit, CircuitState.CLOSED, TransitionReason.PROBES_SUCCEEDED)


def test_weight_ramps_up_after_closing() -> None:
    instance = GuardedInstance()
    assert circuit_breaker.slow_start_factor(instance.config, instance.circuit, 0) == 1.0
    closed = Circuit(closed_at_us=100 * SECOND_US)
    factors = [
        round(circuit_breaker.slow_start_factor(instance.config, closed, second * SECOND_US), 9)
        for second in (90, 100, 110, 115, 130, 9_999)
    ]
    assert factors == [0.1, 0.1, 0.4, 0.55, 1.0, 1.0]
