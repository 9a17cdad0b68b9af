from application.ports.decision_log import DecisionLog
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

    def find(self, request_id: RequestId) -> DecisionTrace | None:
        return self._traces.get(request_id)


_conforms: type[DecisionLog] = MemoryDecisionLog
