from collections.abc import Sequence
from heapq import nlargest

from application.ports.decision_log import DecisionLog, DecisionsWanted
from application.ports.request_observer import RequestObserver
from domain.identifiers import RequestId
from domain.routing.decision import DecisionTrace

CAPACITY = 1_000


class MemoryDecisionLog:
    """The last traces of this process, oldest out first."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._traces: dict[RequestId, DecisionTrace] = {}

    def keep(self, trace: DecisionTrace) -> None:
        self._traces[trace.request_id] = trace
        if len(self._traces) > self._capacity:
            del self._traces[next(iter(self._traces))]

    def finished(self, trace: DecisionTrace) -> None:
        """Counts as the newest from now on, so that what ran for long can be looked up as long as any other."""
        self._traces.pop(trace.request_id, None)
        self.keep(trace.shortened())

    def kept(self, request_id: RequestId) -> DecisionTrace | None:
        """As `find`, at once."""
        return self._traces.get(request_id)

    async def find(self, request_id: RequestId) -> DecisionTrace | None:
        return self.kept(request_id)

    async def recent(self, wanted: DecisionsWanted) -> Sequence[DecisionTrace]:
        fitting = (
            trace
            for trace in reversed(self._traces.values())
            if trace.outcome is not None and wanted.fits(trace.requested_model, trace.outcome)
        )
        return tuple(nlargest(wanted.limit, fitting, key=lambda trace: trace.finished_us or 0))


_conforms_observer: type[RequestObserver] = MemoryDecisionLog
_conforms: type[DecisionLog] = MemoryDecisionLog
