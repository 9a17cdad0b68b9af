from typing import Protocol

from domain.identifiers import RequestId
from domain.routing.decision import DecisionTrace


class DecisionLog(Protocol):
    """The last decision traces of this process, at least 1,000 of them. Never blocks, never fails."""

    def keep(self, trace: DecisionTrace) -> None:
        """Keeps `trace`; it may still be filled in afterwards."""
        ...

    def find(self, request_id: RequestId) -> DecisionTrace | None:
        """The trace of a request; None where it is unknown or has made room for newer ones."""
        ...
