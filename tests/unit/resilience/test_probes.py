"""What happens between open and closed."""

from domain.durations import SECOND_US
from domain.identifiers import LeaseId
from domain.resilience import circuit_breaker
from domain.resilience.circuit_breaker import CircuitBreakerConfig, CircuitState, Denial, Permit, TransitionReason
from domain.resilience.outcome import Outcome
from domain.routing.decision import Exclusion
from tests.unit.resilience.guarded_instance import PERMIT_US, GuardedInstance


def due(config: CircuitBreakerConfig | None = None) -> GuardedInstance:
    instance = GuardedInstance(config or CircuitBreakerConfig())
    instance.open()
    instance.wait_until_due()
    return instance


def test_due_circuit_gives_one_probe_and_denies_the_rest() -> None:
    instance = due()
    assert instance.acquire("a") == Permit(generation=2, probe=True)
    assert instance.state is CircuitState.HALF_OPEN
    assert instance.acquire("b") == Denial(Exclusion.PROBES_IN_FLIGHT, 5 * SECOND_US)


def test_denial_beside_a_probe_tells_when_its_permit_ends_where_that_is_sooner() -> None:
    instance = due()
    instance.acquire("a")
    instance.wait(PERMIT_US - SECOND_US)
    assert instance.acquire("b") == Denial(Exclusion.PROBES_IN_FLIGHT, SECOND_US)


def test_half_open_circuit_gives_as_many_probes_as_configured() -> None:
    instance = due(CircuitBreakerConfig(half_open_probes=3))
    answers = [instance.acquire(name) for name in "abcd"]
    assert [isinstance(answer, Permit) for answer in answers] == [True, True, True, False]


def test_released_permit_frees_its_place_alone_and_moves_nothing() -> None:
    instance = due(CircuitBreakerConfig(half_open_probes=2))
    instance.acquire("a")
    instance.acquire("b")
    before = instance.circuit
    instance.circuit = circuit_breaker.release(before, LeaseId("a"))
    assert (instance.state, instance.circuit.generation) == (CircuitState.HALF_OPEN, before.generation)
    assert [holder for holder, _ in instance.circuit.probes] == ["b"]
    assert circuit_breaker.release(instance.circuit, LeaseId("a")) is instance.circuit
    assert [isinstance(instance.acquire(name), Permit) for name in "cd"] == [True, False]


def test_probe_that_asks_again_is_answered_as_before() -> None:
    instance = due()
    first = instance.acquire("a")
    held = instance.circuit
    assert instance.acquire("a") == first
    assert instance.circuit is held


def test_peek_answers_as_acquiring_would_and_changes_nothing() -> None:
    instance = due()
    asked = circuit_breaker.peek(instance.config, instance.circuit, instance.now_us)
    assert asked == instance.acquire("a")
    asked = circuit_breaker.peek(instance.config, instance.circuit, instance.now_us)
    assert asked == instance.acquire("b")


def test_probers_that_never_report_do_not_wedge_the_circuit() -> None:
    instance = due(CircuitBreakerConfig(half_open_probes=2))
    for round_number in range(5):
        for prober in "ab":
            assert isinstance(instance.acquire(f"{prober}{round_number}"), Permit)
        instance.wait(PERMIT_US - 1)
        assert isinstance(instance.acquire("too early"), Denial)
        instance.wait(1)
    instance.call(Outcome.SUCCESS)
    instance.call(Outcome.SUCCESS)
    assert instance.state is CircuitState.CLOSED


def test_late_result_of_a_dead_probe_is_ignored() -> None:
    instance = due(CircuitBreakerConfig(probes_to_close=1))
    instance.acquire("dead")
    instance.wait(PERMIT_US)
    instance.acquire("heir")
    assert [holder for holder, _ in instance.circuit.probes] == ["heir"]
    for outcome in (Outcome.SUCCESS, Outcome.FAILURE):
        assert instance.report("dead", outcome) is None
    assert instance.state is CircuitState.HALF_OPEN
    assert isinstance(instance.acquire("third"), Denial)


def test_expired_probe_that_nobody_replaced_is_as_dead() -> None:
    instance = due(CircuitBreakerConfig(probes_to_close=1))
    instance.acquire("dead")
    instance.wait(PERMIT_US)
    assert instance.report("dead", Outcome.SUCCESS) is None
    assert instance.state is CircuitState.HALF_OPEN
    assert instance.circuit.probes == ()


def test_renewed_probe_lives_longer() -> None:
    instance = due()
    instance.acquire("long")
    instance.wait(PERMIT_US - 1)
    instance.circuit = circuit_breaker.renew(instance.circuit, instance.now_us, LeaseId("long"), PERMIT_US)
    instance.wait(PERMIT_US - 1)
    assert isinstance(instance.acquire("other"), Denial)
    instance.report("long", Outcome.SUCCESS)
    assert instance.circuit.probe_successes == 1


def test_renewal_leaves_other_probes_alone() -> None:
    instance = due(CircuitBreakerConfig(half_open_probes=2))
    instance.acquire("a")
    instance.acquire("b")
    (_, (_, expires_us)) = instance.circuit.probes
    instance.wait(1)
    instance.circuit = circuit_breaker.renew(instance.circuit, instance.now_us, LeaseId("a"), PERMIT_US)
    assert instance.circuit.probes == (("a", expires_us + 1), ("b", expires_us))


def test_expired_probe_cannot_be_renewed() -> None:
    instance = due()
    instance.acquire("dead")
    instance.wait(PERMIT_US)
    instance.circuit = circuit_breaker.renew(instance.circuit, instance.now_us, LeaseId("dead"), PERMIT_US)
    assert isinstance(instance.acquire("other"), Permit)


def test_ignored_outcome_frees_the_permit_and_counts_for_nothing() -> None:
    instance = due(CircuitBreakerConfig(probes_to_close=1))
    for name in "abcdef":
        assert isinstance(instance.acquire(name), Permit)
        assert instance.report(name, Outcome.IGNORED) is None
    assert instance.state is CircuitState.HALF_OPEN
    assert instance.circuit.probe_successes == 0


def test_stale_generation_frees_its_probe_and_moves_nothing() -> None:
    instance = due(CircuitBreakerConfig(probes_to_close=1))
    instance.acquire("a")
    for outcome in (Outcome.SUCCESS, Outcome.FAILURE):
        assert instance.report("a", outcome, generation=99) is None
        assert instance.state is CircuitState.HALF_OPEN
    assert isinstance(instance.acquire("b"), Permit)


def test_stale_success_from_before_the_outage_does_not_close() -> None:
    instance = GuardedInstance(CircuitBreakerConfig(probes_to_close=1))
    old = instance.acquire("slow")
    assert isinstance(old, Permit)
    instance.open()
    instance.report("slow", Outcome.SUCCESS, generation=old.generation)
    states = [instance.state]
    instance.wait_until_due()
    instance.acquire("probe")
    instance.report("slow", Outcome.SUCCESS, generation=old.generation)
    states.append(instance.state)
    assert states == [CircuitState.OPEN, CircuitState.HALF_OPEN]
    assert isinstance(instance.acquire("other"), Denial)


def test_call_of_the_current_generation_without_a_permit_moves_no_half_open_circuit() -> None:
    instance = due(CircuitBreakerConfig(probes_to_close=1))
    instance.acquire("a")
    assert instance.report("stranger", Outcome.SUCCESS) is None
    assert instance.state is CircuitState.HALF_OPEN


def test_enough_successful_probes_close_the_circuit() -> None:
    instance = due()
    assert instance.call(Outcome.SUCCESS) is None
    transition = instance.call(Outcome.SUCCESS)
    assert transition is not None
    assert (transition.after, transition.reason) == (CircuitState.CLOSED, TransitionReason.PROBES_SUCCEEDED)
    assert instance.circuit.closed_at_us == instance.now_us
    assert instance.circuit.window.calls == 0


def test_every_recovery_takes_as_many_probes() -> None:
    instance = due()
    instance.recover()
    instance.open()
    instance.wait_until_due()
    instance.call(Outcome.SUCCESS)
    assert instance.state is CircuitState.HALF_OPEN


def test_closed_circuit_remembers_when_it_opened_and_closed() -> None:
    instance = due()
    opened_at_us = instance.circuit.opened_at_us
    instance.recover()
    recovered = instance.circuit
    instance.wait(SECOND_US)
    instance.call(Outcome.SUCCESS)
    assert (instance.circuit.opened_at_us, instance.circuit.closed_at_us) == (opened_at_us, recovered.closed_at_us)
    assert (instance.circuit.open_until_us, instance.circuit.reason) == (recovered.open_until_us, recovered.reason)


def test_repeated_report_of_one_probe_counts_once() -> None:
    instance = due()
    instance.acquire("a")
    instance.report("a", Outcome.SUCCESS)
    instance.report("a", Outcome.SUCCESS)
    assert instance.circuit.probe_successes == 1


def test_one_failed_probe_reopens_although_another_succeeded() -> None:
    instance = due()
    instance.call(Outcome.SUCCESS)
    transition = instance.call(Outcome.FAILURE)
    assert transition is not None
    assert (transition.after, transition.reason) == (CircuitState.OPEN, TransitionReason.PROBE_FAILED)


def test_probe_successes_from_before_a_reopening_do_not_count() -> None:
    instance = due()
    instance.call(Outcome.SUCCESS)
    instance.call(Outcome.FAILURE)
    instance.wait_until_due()
    instance.call(Outcome.SUCCESS)
    assert instance.state is CircuitState.HALF_OPEN


def test_slow_success_of_a_probe_is_a_success() -> None:
    instance = due(CircuitBreakerConfig(probes_to_close=1))
    instance.call(Outcome.SUCCESS, slow=True)
    assert instance.state is CircuitState.CLOSED


def test_failed_half_open_probe_takes_the_permits_of_the_others_with_it() -> None:
    instance = due(CircuitBreakerConfig(half_open_probes=2, probes_to_close=1))
    permit = instance.acquire("a")
    instance.acquire("b")
    assert isinstance(permit, Permit)
    instance.report("b", Outcome.FAILURE)
    assert instance.report("a", Outcome.SUCCESS, generation=permit.generation) is None
    assert instance.state is CircuitState.OPEN
