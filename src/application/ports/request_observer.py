from typing import Protocol

from domain.routing.decision import DecisionTrace


class RequestObserver(Protocol):
    """Hears of each request that was to be served by a model, when its story is told. Never blocks, never fails."""

    def finished(self, trace: DecisionTrace) -> None:
        """Called once for each request, at its end: `outcome` and all attempts are final. Not to be modified."""
        ...
