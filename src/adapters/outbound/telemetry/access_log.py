import logging
from typing import Final

from adapters.outbound.telemetry.access_fields import access_fields, error_of, place_of
from adapters.outbound.telemetry.body_log import log_bodies
from adapters.outbound.telemetry.off_loop import FinalRecord
from application.answered import Answered
from application.ports.exchange_observer import ExchangeObserver
from domain.money import format_dollars
from domain.redaction import Redactor
from domain.routing.decision import DecisionTrace

LOGGER: Final = "moongate.access"
_PROBED: Final = frozenset({"/health", "/ready", "/metrics"})
_FAULT: Final = 500
_US_PER_MS: Final = 1_000

_log = logging.getLogger(LOGGER)


class AccessLog:
    """One line for each HTTP request, at its end.

    Info, or warning where the gateway or a provider is to blame; debug for what probes ask each second. Costs the loop
    some microseconds: the line is made where it is written.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def ended(self, answered: Answered, trace: DecisionTrace | None) -> None:
        level = _level_of(answered)
        if _log.isEnabledFor(level):
            _log.handle(AccessRecord(level, answered, trace, self._redactor))
        if answered.bodies is not None:
            log_bodies(answered.request_id, answered.bodies, self._redactor)


class AccessRecord(FinalRecord):
    """A line about one request. What it tells is put together when it is written."""

    def __init__(self, level: int, answered: Answered, trace: DecisionTrace | None, redactor: Redactor) -> None:
        super().__init__(LOGGER, level, __file__, 0, "", None, None)
        self._answered = answered
        self._trace = trace
        self._redactor = redactor

    def getMessage(self) -> str:  # noqa: N802 - the name is logging's
        """For people."""
        answered, trace = self._answered, self._trace
        status = answered.status or "-"
        parts = [f"{answered.method[:16]} {place_of(answered, self._redactor)} {status}"]
        parts.append(f"{answered.duration_us / _US_PER_MS:.1f}ms {answered.sent_bytes}B")
        if answered.caller is not None:
            parts.append(answered.caller.name)
        if trace is not None:
            parts += _story(trace)
        if (code := error_of(answered, trace)) is not None:
            parts.append(code)
        if not answered.is_whole:
            parts.append("client gone")
        return " ".join((*parts, answered.request_id))

    def fields(self) -> dict[str, object]:
        """For programs."""
        return access_fields(self._answered, self._trace, self._redactor)


def _story(trace: DecisionTrace) -> list[str]:
    parts = [f"{trace.requested_model}>{trace.attempts[-1].instance_id}" if trace.attempts else trace.requested_model]
    if len(trace.attempts) > 1:
        parts.append(f"{len(trace.attempts)} attempts")
    if trace.usage is not None:
        parts.append(f"{trace.usage.input_tokens}+{trace.usage.output_tokens} tokens")
    if trace.cost_nano:
        parts.append(f"${format_dollars(trace.cost_nano)}")
    if trace.cache is not None:
        parts.append(f"cache {trace.cache}")
    return parts


def _level_of(answered: Answered) -> int:
    if answered.status is not None and answered.status >= _FAULT:
        return logging.WARNING
    return logging.DEBUG if answered.rule in _PROBED else logging.INFO


_conforms: type[ExchangeObserver] = AccessLog
