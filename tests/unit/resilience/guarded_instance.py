"""A circuit in the hands of a test: time passes when the test says so."""

from dataclasses import dataclass, field

from domain.durations import SECOND_US
from domain.identifiers import LeaseId
from domain.resilience import circuit_breaker
from domain.resilience.circuit_breaker import Circuit, CircuitBreakerConfig, CircuitState, Denial, Permit, Transition
from domain.resilience.outcome import Outcome

PERMIT_US = 10 * SECOND_US
NO_JITTER = 1.0
"""Not a legal draw, but the limit of all: the open time comes out whole."""


@dataclass(slots=True)
class GuardedInstance:
    config: CircuitBreakerConfig = field(default_factory=CircuitBreakerConfig)
    circuit: Circuit = field(default_factory=Circuit)
    now_us: int = 1_000 * SECOND_US
    jitter: float = NO_JITTER
    calls: int = 0

    @property
    def state(self) -> CircuitState:
        return self.circuit.state

    @property
    def open_us(self) -> int:
        return self.circuit.open_until_us - self.now_us

    def wait(self, span_us: int) -> None:
        self.now_us += span_us

    def acquire(self, permit_id: str, *, last_resort: bool = False) -> Permit | Denial:
        answer, self.circuit = circuit_breaker.try_acquire(
            self.config, self.circuit, self.now_us, LeaseId(permit_id), PERMIT_US, last_resort=last_resort
        )
        return answer

    def report(
        self, permit_id: str, outcome: Outcome, *, generation: int | None = None, slow: bool = False
    ) -> Transition | None:
        transition, self.circuit = circuit_breaker.record(
            self.config,
            self.circuit,
            self.now_us,
            permit_id=LeaseId(permit_id),
            generation=self.circuit.generation if generation is None else generation,
            outcome=outcome,
            slow=slow,
            jitter=self.jitter,
        )
        return transition

    def call(self, outcome: Outcome, *, slow: bool = False, last_resort: bool = False) -> Transition | None:
        """Acquires, which must be allowed, and reports at once."""
        self.calls += 1
        permit_id = f"call {self.calls}"
        permit = self.acquire(permit_id, last_resort=last_resort)
        assert isinstance(permit, Permit)
        return self.report(permit_id, outcome, generation=permit.generation, slow=slow)

    def open(self) -> None:
        """Breaks it by failures in a row."""
        for _ in range(self.config.consecutive_failures):
            self.call(Outcome.FAILURE)
        assert self.state is CircuitState.OPEN

    def wait_until_due(self) -> None:
        self.now_us = self.circuit.open_until_us

    def recover(self) -> None:
        """Waits and closes it by successful probes."""
        self.wait_until_due()
        for _ in range(self.config.probes_to_close):
            self.call(Outcome.SUCCESS)
        assert self.state is CircuitState.CLOSED
