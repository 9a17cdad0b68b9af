from dataclasses import dataclass

from application.billing.bill import Bill, Times
from application.lease_keeper import LeaseKeeper
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.routing import Routing
from domain.catalog import Instance
from domain.chat import Usage
from domain.failure import Blame, Failure
from domain.identifiers import LeaseId
from domain.latency import LatencyKind
from domain.resilience.outcome import Outcome
from domain.routing.admission import Admitted
from domain.routing.decision import AttemptTrace
from domain.routing.report import AttemptReport


@dataclass(frozen=True, slots=True)
class AttemptTools:
    """What every attempt needs to account for itself."""

    routing: Routing
    leases: LeaseKeeper
    clock: Clock
    randomness: Randomness


class ActiveAttempt:
    """An admitted attempt that is running. Exactly one of its endings takes effect, the first.

    All endings are synchronous: whatever cancels a request can't come between an attempt and its report.
    """

    __slots__ = (
        "_admitted",
        "_ended",
        "_kind",
        "_lease_id",
        "_reserved",
        "_slow_us",
        "_started_us",
        "_tools",
        "bill",
        "trace",
    )

    def __init__(
        self,
        tools: AttemptTools,
        admitted: Admitted,
        lease_id: LeaseId,
        *,
        kind: LatencyKind,
        tokens_reserved: int,
        slow_us: int,
        trace: AttemptTrace,
    ) -> None:
        self._tools = tools
        self._admitted = admitted
        self._lease_id = lease_id
        self._kind = kind
        self._reserved = tokens_reserved
        self._slow_us = slow_us
        self._started_us = tools.clock.monotonic_us()
        self._ended = False
        self.trace = trace
        self.bill: Bill | None = None
        tools.leases.keep(lease_id, admitted.instance)

    @property
    def instance(self) -> Instance:
        """Who serves it."""
        return self._admitted.instance

    def first_content(self) -> None:
        """A stream's first content is here: its latency is known, long before the stream ends."""
        self.trace.first_content_us = self._elapsed_us()
        self._tools.routing.observe_latency(self.instance, self._kind, self.trace.first_content_us)

    @property
    def cost_nano(self) -> int:
        """What it cost; 0 before its end."""
        return 0 if self.bill is None else self.bill.cost_nano

    def succeeded(self, usage: Usage, *, was_asked: bool = True) -> None:
        """The reply is whole. Where the provider was not asked, it tells neither its health nor its latency."""
        self._used(usage)
        if self.bill is not None and not self._ended:
            self.bill.succeeded(usage, self._times())
        self._end(
            "success",
            Outcome.SUCCESS if was_asked else Outcome.IGNORED,
            latency_us=self._elapsed_us() if was_asked and self.trace.first_content_us is None else None,
            slow=was_asked and self._waited_us() >= self._slow_us,
            tokens=None if usage.estimated else usage.input_tokens + usage.output_tokens,
        )

    def failed(self, failure: Failure, produced: Usage | None = None) -> None:
        """The provider or the way to it failed; of a stream, after it had `produced` so much."""
        self._used(produced)
        if self.bill is not None and not self._ended:
            self.bill.failed(failure, self._times(), produced)
        self.trace.status, self.trace.message = failure.status, failure.own_words
        counted = failure.verdict.blame is Blame.FAILURE
        self._end(
            failure.kind.value,
            Outcome.FAILURE if counted else Outcome.IGNORED,
            latency_us=self._waited_us() if counted else None,
            tokens=None if failure.ambiguous or self.trace.first_content_us is not None else 0,
            failure=failure,
        )

    def cancelled(self, produced: Usage | None = None, *, was_sent: bool = True) -> None:
        """The client left, after it had been given `produced`; the time it waited is a lower bound of the latency."""
        self._used(produced)
        if self.bill is not None and not self._ended:
            self.bill.cancelled(self._times(), produced, was_sent=was_sent)
        self._end("cancelled", Outcome.IGNORED, latency_us=self._waited_us())

    def _used(self, usage: Usage | None) -> None:
        if not self._ended:
            self.trace.usage = usage

    def _times(self) -> Times:
        return Times(self._elapsed_us(), self.trace.first_content_us)

    def _waited_us(self) -> int:
        """Until the first content of a stream; else until now. How long a stream then flows is not its latency."""
        return self._elapsed_us() if self.trace.first_content_us is None else self.trace.first_content_us

    def _elapsed_us(self) -> int:
        return self._tools.clock.monotonic_us() - self._started_us

    def _end(
        self,
        outcome_name: str,
        outcome: Outcome,
        *,
        latency_us: int | None,
        slow: bool = False,
        tokens: int | None = None,
        failure: Failure | None = None,
    ) -> None:
        if self._ended:
            return
        self._ended = True
        self.trace.outcome = outcome_name
        self.trace.duration_us = self._elapsed_us()
        self.trace.cost_nano = self.cost_nano
        self._tools.leases.drop(self._lease_id)
        admitted = self._admitted
        self._tools.routing.report(
            AttemptReport(
                lease_id=self._lease_id,
                instance=admitted.instance,
                generation=admitted.generation,
                probe=admitted.probe,
                bucket_s=admitted.bucket_s,
                outcome=outcome,
                latency_kind=self._kind,
                latency_us=latency_us,
                slow=slow,
                tokens_reserved=self._reserved,
                tokens_actual=tokens,
                jitter=self._tools.randomness.draw(),
                cooldown=failure.cooldown if failure else None,
                cooldown_us=failure.cooldown_us if failure else 0,
                cooldown_grows=failure is not None and failure.cooldown_grows,
            )
        )
