from adapters.outbound.telemetry import request_metrics_declared as declared
from adapters.outbound.telemetry.metric_page import MetricPage
from application.ports.event_sink import EventSink
from domain.events import BudgetDrifted, BudgetReached, CircuitChanged, Event, UsageRecorded


class EventMetrics:
    """Counts events. Whose budget it was is not told: a label for each account would have no bound."""

    def __init__(self, page: MetricPage) -> None:
        self._page = page

    def publish(self, event: Event) -> None:
        match event:
            case CircuitChanged(instance_id, transition):
                changed = instance_id, transition.after.value, transition.reason
                self._page.add(declared.CIRCUIT_TRANSITIONS, changed)
            case BudgetReached(_, crossing):
                kind = "hard" if crossing.hard else "soft"
                self._page.add(declared.BUDGET_ALERTS, (kind, str(crossing.percent)))
            case BudgetDrifted():
                self._page.add(declared.BUDGET_DRIFTS)
            case UsageRecorded():
                self._page.add(declared.USAGE_RECORDS)


_conforms: type[EventSink] = EventMetrics
