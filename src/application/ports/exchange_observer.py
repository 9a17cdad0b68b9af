from typing import Protocol

from application.answered import Answered
from domain.routing.decision import DecisionTrace


class ExchangeObserver(Protocol):
    """Hears of each HTTP request at its end. Never blocks, never fails."""

    def ended(self, answered: Answered, trace: DecisionTrace | None) -> None:
        """Called once for each. `trace` is the story of a request to a model; neither is modified any more."""
        ...
