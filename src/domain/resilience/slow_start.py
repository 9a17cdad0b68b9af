from typing import Protocol

from domain.resilience.circuit_breaker_config import CircuitBreakerConfig

_SLOWEST = 0.1


class OnceClosed(Protocol):
    """A circuit, or a snapshot of one."""

    @property
    def closed_at_us(self) -> int | None:
        """When it last closed; None if it never opened."""


def slow_start_factor(config: CircuitBreakerConfig, circuit: OnceClosed, now_us: int) -> float:
    """What to scale the instance's weight by, 0.1 to 1: grows linearly after closing, 1 if it never opened."""
    if circuit.closed_at_us is None:
        return 1.0
    elapsed_us = max(0, now_us - circuit.closed_at_us)
    if elapsed_us >= config.slow_start_us:
        return 1.0
    return _SLOWEST + (1 - _SLOWEST) * elapsed_us / config.slow_start_us
