"""Random histories of requests, crashes, operators and health checks against one circuit."""

from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.durations import SECOND_US
from domain.identifiers import LeaseId
from domain.resilience import circuit_breaker
from domain.resilience.circuit_breaker import Circuit, CircuitBreakerConfig, CircuitState, Permit, Transition
from domain.resilience.outcome import Outcome
from domain.routing.decision import Exclusion

LEGAL = {
    (CircuitState.CLOSED, CircuitState.OPEN),
    (CircuitState.OPEN, CircuitState.HALF_OPEN),
    (CircuitState.HALF_OPEN, CircuitState.CLOSED),
    (CircuitState.HALF_OPEN, CircuitState.OPEN),
}
CONFIGS = st.builds(
    CircuitBreakerConfig,
    window_us=st.integers(SECOND_US, 10 * SECOND_US),
    minimum_calls=st.integers(1, 5),
    failure_rate=st.sampled_from([0.3, 0.5, 1.0]),
    slow_call_rate=st.sampled_from([0.5, 1.0]),
    consecutive_failures=st.integers(1, 4),
    max_open_duration_us=st.integers(5 * SECOND_US, 40 * SECOND_US),
    half_open_probes=st.integers(1, 3),
    probes_to_close=st.integers(1, 3),
)
PERMIT_US = 4 * SECOND_US


class CircuitHistories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.config = CircuitBreakerConfig()
        self.circuit = Circuit()
        self.now_us = 0
        self.operated = False
        self.asked = 0
        self.in_flight: dict[LeaseId, Permit] = {}

    @initialize(config=CONFIGS, operated=st.sampled_from([True, False, False]))
    def configure(self, config: CircuitBreakerConfig, operated: bool) -> None:
        self.config = config
        self.operated = operated

    def become(self, after: Circuit, *, by_operator: bool = False) -> None:
        """Takes over the next version, if it is one that may follow."""
        before = self.circuit
        changed = before.state is not after.state
        assert after.generation - before.generation == int(changed)
        if changed and not by_operator:
            assert (before.state, after.state) in LEGAL
            assert before.forced is None
        self.circuit = after

    def record(self, permit_id: LeaseId, generation: int, outcome: Outcome, slow: bool, jitter: float) -> None:
        before = self.circuit
        transition, after = circuit_breaker.record(
            self.config,
            before,
            self.now_us,
            permit_id=permit_id,
            generation=generation,
            outcome=outcome,
            slow=slow,
            jitter=jitter,
        )
        self.become(after)
        if before.state is after.state:
            assert transition is None
        else:
            assert transition == Transition(before.state, after.state, after.reason, self.now_us)
            assert generation == before.generation
            assert outcome is not Outcome.IGNORED
        assert permit_id not in {holder for holder, _ in after.probes}

    @rule(span_us=st.integers(0, 12 * SECOND_US))
    def wait(self, span_us: int) -> None:
        self.now_us += span_us

    @rule(
        outcomes=st.lists(st.sampled_from([*Outcome, Outcome.FAILURE, Outcome.FAILURE]), min_size=1, max_size=6),
        slow=st.booleans(),
        last_resort=st.booleans(),
        jitter=st.floats(0, 1, exclude_max=True),
    )
    def call_in_a_row(self, outcomes: list[Outcome], slow: bool, last_resort: bool, jitter: float) -> None:
        for outcome in outcomes:
            permit_id = self.ask(last_resort)
            if permit_id in self.in_flight:
                self.record(permit_id, self.in_flight.pop(permit_id).generation, outcome, slow, jitter)

    @rule(last_resort=st.booleans())
    def ask_and_wait(self, last_resort: bool) -> None:
        self.ask(last_resort)

    def ask(self, last_resort: bool) -> LeaseId:
        self.asked += 1
        permit_id = LeaseId(f"permit {self.asked}")
        expected = circuit_breaker.peek(self.config, self.circuit, self.now_us, last_resort=last_resort)
        answer, after = circuit_breaker.try_acquire(
            self.config, self.circuit, self.now_us, permit_id, PERMIT_US, last_resort=last_resort
        )
        assert answer == expected
        if isinstance(answer, Permit):
            self.in_flight[permit_id] = answer
            assert answer.generation == after.generation
            assert answer.probe == (after.state is CircuitState.HALF_OPEN)
        else:
            assert after is self.circuit
            assert answer.reason in {Exclusion.CIRCUIT_OPEN, Exclusion.PROBES_IN_FLIGHT}
        self.become(after)
        return permit_id

    @precondition(lambda self: self.in_flight)
    @rule(
        data=st.data(),
        outcome=st.sampled_from([*Outcome, Outcome.FAILURE]),
        slow=st.booleans(),
        jitter=st.floats(0, 1, exclude_max=True),
    )
    def finish(self, data: st.DataObject, outcome: Outcome, slow: bool, jitter: float) -> None:
        permit_id = data.draw(st.sampled_from(sorted(self.in_flight)))
        permit = self.in_flight.pop(permit_id)
        self.record(permit_id, permit.generation, outcome, slow, jitter)

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data(), outcome=st.sampled_from(Outcome), offset=st.integers(-3, 3))
    def finish_with_a_foreign_generation(self, data: st.DataObject, outcome: Outcome, offset: int) -> None:
        assume(offset != 0)
        permit_id = data.draw(st.sampled_from(sorted(self.in_flight)))
        before = self.circuit
        self.in_flight.pop(permit_id)
        self.record(permit_id, before.generation + offset, outcome, slow=True, jitter=0.5)
        assert self.circuit.window == before.window
        assert self.circuit.generation == before.generation
        assert self.circuit.probe_successes == before.probe_successes

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        self.in_flight.pop(data.draw(st.sampled_from(sorted(self.in_flight))))

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        permit_id = data.draw(st.sampled_from(sorted(self.in_flight)))
        self.become(circuit_breaker.renew(self.circuit, self.now_us, permit_id, PERMIT_US))

    @precondition(lambda self: self.operated)
    @rule(state=st.sampled_from([CircuitState.OPEN, CircuitState.CLOSED, None, None]))
    def operate(self, state: CircuitState | None) -> None:
        self.become(circuit_breaker.force(self.circuit, state, self.now_us), by_operator=True)
        assert self.circuit.forced is state

    @rule()
    def pass_a_health_check(self) -> None:
        self.become(circuit_breaker.half_open(self.circuit, self.now_us))

    @invariant()
    def probes_are_few_and_only_half_open(self) -> None:
        live = [holder for holder, expires_us in self.circuit.probes if expires_us > self.now_us]
        assert len(live) <= self.config.half_open_probes
        assert len(set(live)) == len(live)
        assert not self.circuit.early or self.circuit.state is CircuitState.HALF_OPEN
        assert not self.circuit.probes or self.circuit.state is CircuitState.HALF_OPEN

    @invariant()
    def open_time_is_within_the_cap(self) -> None:
        assert self.circuit.open_until_us <= self.now_us + self.config.max_open_duration_us

    @invariant()
    def nothing_wedges_it(self) -> None:
        """Whatever crashed: after the cap and a permit's time the next request is let through."""
        later_us = self.now_us + self.config.max_open_duration_us + PERMIT_US
        answer = circuit_breaker.peek(self.config, self.circuit, later_us)
        assert isinstance(answer, Permit) == (self.circuit.forced is not CircuitState.OPEN)

    @invariant()
    def closed_circuits_are_below_their_thresholds(self) -> None:
        if self.circuit.state is CircuitState.CLOSED:
            assert self.circuit.consecutive_failures < self.config.consecutive_failures
        else:
            assert self.circuit.window.calls == 0


CircuitHistories.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestCircuitHistories = CircuitHistories.TestCase
