from dataclasses import dataclass, replace

from application.billing.journaling import Journaling
from application.billing.quoting import Quoting
from application.journey import Journey
from application.spending.spends import Spends
from domain.budget.charge import AttemptId
from domain.chat import Usage
from domain.failure import Failure
from domain.price_book import Priced, Unpriced
from domain.usage_record import UsageEnd, UsageIntent, UsageOutcome

_OK = 200


@dataclass(frozen=True, slots=True)
class Times:
    """How long an attempt took, and how long its first content; None where there was none."""

    latency_us: int
    ttft_us: int | None = None


class Bill:
    """What one attempt costs its caller. Ended once, by one of its endings, which all are synchronous."""

    __slots__ = ("_intent", "_journaling", "_journey", "_price", "_quoting", "_reserved", "_spends", "cost_nano")

    def __init__(
        self,
        intent: UsageIntent,
        journey: Journey,
        price: Priced | Unpriced,
        reserved: AttemptId | None,
        *,
        quoting: Quoting,
        journaling: Journaling,
        spends: Spends,
    ) -> None:
        self._intent = intent
        self._journey = journey
        self._price = price
        self._reserved = reserved
        self._quoting = quoting
        self._journaling = journaling
        self._spends = spends
        self.cost_nano = 0

    def succeeded(self, usage: Usage, times: Times) -> None:
        """The reply is whole."""
        self._end(UsageOutcome.SUCCESS, _OK, usage, times)

    def failed(self, failure: Failure, times: Times, produced: Usage | None) -> None:
        """It went wrong; `produced` is what had come by then, None for nothing.

        What the provider answered with an error costs nothing; where it may have answered and nobody heard, all that
        was reserved counts.
        """
        code = failure.word or failure.kind.value
        if not failure.was_sent:
            self._withdraw()
        elif produced is not None:
            self._end(UsageOutcome.CUT, failure.status or _OK, produced, times, code)
        elif failure.ambiguous:
            self._unknown(UsageOutcome.UNKNOWN, times, code)
        else:
            self._end(UsageOutcome.FAILED, failure.status, None, times, code)

    def cancelled(self, times: Times, produced: Usage | None, *, was_sent: bool = True) -> None:
        """The client went. It pays for what the provider produced; all that was reserved where nobody knows that."""
        if not was_sent:
            self._withdraw()
        elif produced is None:
            self._unknown(UsageOutcome.CANCELLED, times, None)
        else:
            self._end(UsageOutcome.CANCELLED, _OK, produced, times)

    def _unknown(self, outcome: UsageOutcome, times: Times, code: str | None) -> None:
        intent = self._intent
        self.cost_nano = intent.cost_nano
        counts = (intent.input_tokens, intent.output_tokens, 0)
        self._close(UsageEnd(outcome, None, *counts, True, intent.cost_nano, times.latency_us, times.ttft_us, code))

    def _end(
        self, outcome: UsageOutcome, status: int | None, usage: Usage | None, times: Times, code: str | None = None
    ) -> None:
        counts = (0, 0, 0, False)
        if usage is not None:
            usage = self._bounded(usage)
            counts = (usage.input_tokens, usage.output_tokens, usage.cached_input_tokens, usage.estimated)
            request = self._journey.request
            if not request.llm.endpoint.is_free:
                self.cost_nano = self._quoting.cost_nano(request.caller, self._price, usage)
        self._close(UsageEnd(outcome, status, *counts, self.cost_nano, times.latency_us, times.ttft_us, code))

    def _bounded(self, usage: Usage) -> Usage:
        """Where the provider was told a maximum, what the gateway counted itself is no more than that.

        A guess must not be what takes a hard budget over its limit.
        """
        if not usage.estimated or not self._quoting.is_bounded(self._journey.request.caller):
            return usage
        most = self._intent
        return replace(
            usage,
            input_tokens=min(usage.input_tokens, most.input_tokens),
            output_tokens=min(usage.output_tokens, most.output_tokens),
        )

    def _close(self, end: UsageEnd) -> None:
        self._journaling.outcome(self._intent.resolved(end))
        if self._reserved is not None:
            self._spends.settle(self._reserved, end.cost_nano)

    def _withdraw(self) -> None:
        self._journaling.withdraw(self._intent.record_id)
        if self._intent.first:
            self._journey.is_billed = False
        if self._reserved is not None:
            self._spends.release(self._reserved)
