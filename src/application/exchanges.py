from collections.abc import Callable, Sequence

from application.answered import Answered
from application.ports.exchange_observer import ExchangeObserver
from application.ports.request_observer import RequestObserver
from domain.identifiers import RequestId
from domain.routing.decision import DecisionTrace

_MOST_WAITING = 10_000


class Exchanges:
    """Joins both ends of a request: the story that was told of it, and its HTTP side.

    A story waits here for its answer to end: the log of decisions keeps the last ones only, and more requests than that
    may be in flight. Where no answer ever comes for it (its client left the work to others), newer ones push it out.
    """

    def __init__(
        self, kept: Callable[[RequestId], DecisionTrace | None], observers: Sequence[ExchangeObserver]
    ) -> None:
        """`kept`: the story of a request that is not complete, as far as it is known in this process."""
        self._kept = kept
        self._observers = tuple(observers)
        self._told: dict[RequestId, DecisionTrace] = {}

    def finished(self, trace: DecisionTrace) -> None:
        """The story is complete."""
        if not self._observers:
            return
        self._told[trace.request_id] = trace
        if len(self._told) > _MOST_WAITING:
            del self._told[next(iter(self._told))]

    def answered(self, answered: Answered) -> None:
        """The answer has ended."""
        if not self._observers:
            return
        request_id = answered.request_id
        trace = self._told.pop(request_id, None) or self._kept(request_id)
        for observer in self._observers:
            observer.ended(answered, trace)


_observes: type[RequestObserver] = Exchanges
