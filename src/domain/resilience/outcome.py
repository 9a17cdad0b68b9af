from enum import Enum


class Outcome(Enum):
    """How an attempt counts for the circuit breaker. IGNORED only gives back what the attempt held."""

    SUCCESS = "success"
    FAILURE = "failure"
    IGNORED = "ignored"
