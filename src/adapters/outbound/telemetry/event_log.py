import logging

from application.ports.event_sink import EventSink
from domain.events import BudgetDrifted, BudgetReached, CircuitChanged, Event, UsageRecorded

_log = logging.getLogger("moongate.events")


class LogEventSink:
    """Writes one line per event to the log."""

    def publish(self, event: Event) -> None:
        match event:
            case CircuitChanged(instance_id, transition):
                before, after, reason = transition.before, transition.after, transition.reason
                _log.warning("circuit of %s: %s -> %s (%s)", instance_id, before, after, reason)
            case BudgetReached(_, crossing):
                kind = "hard" if crossing.hard else "soft"
                said = (kind, crossing.budget, crossing.percent, crossing.period_id)
                _log.warning("the %s budget of %s has come to %d %% of its limit in %s", *said)
            case BudgetDrifted(_, budget, period_id, counted_nano, ledger_nano):
                said_nano = (budget, period_id, counted_nano, ledger_nano)
                _log.error("the budget of %s in %s counted %d nano-dollars, the ledger has %d", *said_nano)
            case UsageRecorded():
                """The ledger has it."""


_conforms: type[EventSink] = LogEventSink
