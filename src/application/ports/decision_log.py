from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from application.ports.request_observer import RequestObserver
from domain.identifiers import RequestId
from domain.routing.decision import DecisionTrace


@dataclass(frozen=True, slots=True)
class DecisionsWanted:
    """The newest `limit` of those that fit. `model`: the name that was asked for; None: any."""

    limit: int = 50
    model: str | None = None
    outcome: str | None = None

    def fits(self, model: str, outcome: str | None) -> bool:
        """Whether a decision about that model, with that outcome, is wanted."""
        return self.model in {None, model} and self.outcome in {None, outcome}


class DecisionLog(RequestObserver, Protocol):
    """The latest decision traces: at least 1,000 of this process, and those of others where they are shared.

    `keep` and `finished` never block and never fail; what is shared is seen elsewhere about a second after
    `finished`, or not at all where too much is waiting or the store is away.
    """

    def keep(self, trace: DecisionTrace) -> None:
        """Keeps `trace`; it may still be filled in afterwards."""
        ...

    async def find(self, request_id: RequestId) -> DecisionTrace | None:
        """The trace of a request; None where it is unknown or has made room for newer ones.

        Raises:
            StateUnavailable: This process does not have it, and the store that others share it by does not answer.
        """
        ...

    async def recent(self, wanted: DecisionsWanted) -> Sequence[DecisionTrace]:
        """Finished ones, by when they finished, the newest first, out of about the last 1,000.

        Raises:
            StateUnavailable: The store does not answer.
        """
        ...
