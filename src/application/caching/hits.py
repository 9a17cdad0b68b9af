"""Requests that are answered without asking a provider: limited, recorded at cost 0, and told of like all others."""

from dataclasses import dataclass, field
from itertools import count
from typing import Self

from application.billing.billing import PATHS
from application.billing.journaling import Journaling
from application.caller_gate import CallerGate
from application.errors import GatewayError
from application.gateway_request import Completed, GatewayRequest, Streaming
from application.ports.clock import Clock
from application.ports.decision_log import DecisionLog
from application.ports.request_observer import RequestObserver
from application.replies.replay import replay
from domain.caching import CacheStatus
from domain.callers import CallerKind
from domain.catalog import Resolved
from domain.chat import Chunk, Reply
from domain.identifiers import RouteSlug
from domain.limits.admission import CallerAdmissionRequest, CallerAdmitted
from domain.response_cache import CachedReply
from domain.routing.decision import DecisionTrace
from domain.usage_record import UsageOutcome, UsageRecord

_OK = 200


@dataclass(frozen=True, slots=True)
class HitTools:
    """What every hit needs to account for itself."""

    gate: CallerGate
    journaling: Journaling
    decisions: DecisionLog
    observer: RequestObserver
    clock: Clock


class Hit:
    """One such request, let in. Exactly one of its endings takes effect, the first."""

    def __init__(
        self,
        tools: HitTools,
        request: GatewayRequest,
        trace: DecisionTrace,
        entry: CallerAdmissionRequest | None,
        let_in: CallerAdmitted | None,
    ) -> None:
        self.trace = trace
        self._tools = tools
        self._request = request
        self._entry = entry
        self._let_in = let_in
        self._ended = False

    def ended(self, outcome: str) -> None:
        """It has been answered, or as far as its client wanted."""
        if self._ended:
            return
        self._leave(ran=True)
        trace = self.trace
        trace.outcome, trace.cost_nano, trace.finished_us = outcome, 0, self._tools.clock.now_us()
        self._tools.journaling.outcome(self._record(outcome))
        self._tools.observer.finished(trace)

    def failed(self, error: GatewayError) -> GatewayError:
        """It was not answered; the error itself."""
        if not self._ended:
            self._leave(ran=True)
            self.trace.outcome, self.trace.finished_us = type(error).__name__, self._tools.clock.now_us()
            self._tools.observer.finished(self.trace)
        return error

    def withdrawn(self) -> None:
        """It goes another way, as if it had never come here."""
        if not self._ended:
            self._leave(ran=False)

    def _leave(self, *, ran: bool) -> None:
        self._ended = True
        if self._entry is not None and self._let_in is not None:
            self._tools.gate.leave(self._entry, self._let_in, ran=ran, tokens=0)

    def _record(self, outcome: str) -> UsageRecord:
        request, caller, trace = self._request, self._request.caller, self.trace
        ended = {"success": UsageOutcome.SUCCESS, "cancelled": UsageOutcome.CANCELLED}
        return UsageRecord(
            request_id=request.request_id,
            attempt=0,
            at_us=trace.started_us,
            model_asked=request.llm.model,
            account=caller.account,
            method="POST",
            path=PATHS[request.llm.endpoint],
            outcome=ended.get(outcome, UsageOutcome.CUT),
            client_request_id=request.client_request_id,
            route=None if trace.route is None else RouteSlug(trace.route),
            status=_OK,
            stream=request.llm.stream,
            latency_us=(trace.finished_us or trace.started_us) - trace.started_us,
            user_id=caller.user_id,
            team_id=caller.team_id,
            key_id=caller.id if caller.kind is CallerKind.KEY else None,
            tags=tuple(sorted(request.tags)),
            cache_hit=True,
        )


@dataclass(frozen=True, slots=True)
class Hits:
    """Lets them in."""

    tools: HitTools
    numbers: "count[int]" = field(default_factory=count)

    async def enter(
        self, request: GatewayRequest, resolved: Resolved, cache: CacheStatus | None = CacheStatus.HIT
    ) -> Hit:
        """Counts it against the limits of its caller; tokens are none.

        Raises:
            RateLimited: One has no room now.
            StateUnavailable: The store is away, and the policy is closed.
        """
        tools = self.tools
        trace = request.begin_trace(resolved, tools.clock.now_us())
        trace.cache = cache
        tools.decisions.keep(trace)
        entry = tools.gate.hit_entry(request, next(self.numbers))
        if entry is None:
            return Hit(tools, request, trace, None, None)
        try:
            let_in = await tools.gate.let_in(entry)
        except GatewayError as error:
            trace.limits, trace.outcome, error.trace = error.limits, type(error).__name__, trace
            tools.observer.finished(trace)
            raise
        trace.limits = let_in.standings
        if let_in.degraded:
            trace.degraded += ("rate_limit",)
        return Hit(tools, request, trace, entry, let_in)

    async def complete(self, request: GatewayRequest, resolved: Resolved, stored: CachedReply) -> Completed:
        """A stored reply. Raises as `enter`."""
        hit = await self.enter(request, resolved)
        hit.trace.stored_us = stored.stored_us
        hit.ended("success")
        return Completed(Reply(stored.body, stored.usage), None, 0, hit.trace)

    async def stream(self, request: GatewayRequest, resolved: Resolved, stored: CachedReply) -> Streaming:
        """A stored reply as a stream. Raises as `enter`, and ValueError where it is no reply."""
        llm = request.llm
        batches = replay(llm.endpoint, stored.body, stored.usage, include_usage=llm.stream_usage)
        hit = await self.enter(request, resolved)
        hit.trace.stored_us = stored.stored_us
        return Streaming(StoredStream(batches, hit), None, hit.trace)


class StoredStream:
    """A stream whose batches are all there."""

    def __init__(self, batches: list[tuple[Chunk, ...]], hit: Hit) -> None:
        self._left = iter(batches)
        self._hit = hit

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[Chunk, ...]:
        batch = next(self._left, None)
        if batch is None:
            self._hit.ended("success")
            raise StopAsyncIteration
        return batch

    async def aclose(self) -> None:
        """The reader goes."""
        self._hit.ended("cancelled")
