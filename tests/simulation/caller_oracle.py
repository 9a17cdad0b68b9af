"""A second, simpler opinion of what the shared store decides of callers and of usage, asked at each of its steps."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adapters.outbound.memory.admission import MemoryAdmission
from adapters.outbound.memory.usage_stream import MemoryUsageStream
from adapters.testing.virtual_time import VirtualClock
from domain.budget.charge import AccountId
from domain.durations import MINUTE_US
from domain.identifiers import RequestId
from domain.limits.admission import CallerAdmissionRequest, CallerAdmitted, CallerAnswer
from domain.limits.leases import Leases
from domain.limits.limit import Limit, LimitKind


@dataclass(slots=True)
class _Taken:
    request_id: RequestId
    at_us: int
    amount: int


class CallerOracle:
    """Watches a store of limits: what was let through in any minute, and what runs at once."""

    def __init__(self, admission: MemoryAdmission, clock: VirtualClock, violated: Callable[[str], None]) -> None:
        self._admission, self._clock, self._violated = admission, clock, violated
        self._taken: dict[str, list[_Taken]] = defaultdict(list)
        self._running: dict[str, dict[RequestId, int]] = defaultdict(dict)
        self._open: set[RequestId] = set()

    async def admit(self, request: CallerAdmissionRequest) -> CallerAnswer:
        known = request.request_id in self._admission._held
        before = self._standing(request)
        answer = await self._admission.admit(request)
        if not isinstance(answer, CallerAdmitted):
            if self._standing(request) != before:
                self._violated(f"the refusal of {request.request_id} changed what is counted")
        elif not known:
            self._open.add(request.request_id)
            for limit in request.limits:
                self._charged(request, limit)
        return answer

    async def settle(self, request: CallerAdmissionRequest, actual_tokens: int | None) -> None:
        await self._admission.settle(request, actual_tokens)
        used = request.tokens if actual_tokens is None else actual_tokens
        self._ended(request, used)

    async def release(self, request: CallerAdmissionRequest) -> None:
        await self._admission.release(request)
        self._ended(request, None)

    async def renew(self, request: CallerAdmissionRequest) -> bool:
        held = await self._admission.renew(request)
        now_us = self._clock.monotonic_us()
        for limit in request.limits:
            if limit.kind is LimitKind.PARALLEL and request.request_id in self._live(limit):
                self._running[limit.name][request.request_id] = now_us + request.lease_us
        return held

    def _charged(self, request: CallerAdmissionRequest, limit: Limit) -> None:
        now_us = self._clock.monotonic_us()
        if limit.kind is LimitKind.PARALLEL:
            live = self._live(limit)
            live[request.request_id] = now_us + request.lease_us
            count = len(live)
        else:
            taken = [one for one in self._taken[limit.name] if one.at_us > now_us - MINUTE_US]
            taken.append(_Taken(request.request_id, now_us, limit.amount(request.tokens)))
            self._taken[limit.name] = taken
            count = sum(one.amount for one in taken)
        if count > limit.limit:
            self._violated(f"{limit.name} let through {count}, and allows {limit.limit}")

    def _ended(self, request: CallerAdmissionRequest, used: int | None) -> None:
        first = request.request_id in self._open
        self._open.discard(request.request_id)
        for limit in request.limits:
            if limit.kind is LimitKind.PARALLEL:
                self._live(limit).pop(request.request_id, None)
            elif first:
                for one in self._taken[limit.name]:
                    if one.request_id == request.request_id:
                        one.amount = 0 if used is None else limit.amount(used)

    def _live(self, limit: Limit) -> dict[RequestId, int]:
        now_us, mine = self._clock.monotonic_us(), self._running[limit.name]
        for request_id in [request_id for request_id, expires_us in mine.items() if expires_us <= now_us]:
            del mine[request_id]
        return mine

    def _standing(self, request: CallerAdmissionRequest) -> object:
        now_us = self._admission._now_us()
        meter_of = self._admission._meters_of(request, now_us)
        meters = [(meter_of(limit), limit) for limit in request.limits]
        counted = [
            meter.live(now_us) if isinstance(meter, Leases) else meter.decide(limit.limit, 1, now_us)
            for meter, limit in meters
        ]
        if request.reservation is None:
            return counted, ()
        account = self._admission._accounts.of(AccountId(request.account))
        periods = tuple(charge.of for charge in request.reservation.charges)
        return counted, account.inspect(periods, self._clock.now_us()).balances


class StreamOracle:
    """Watches the stream of usage: nothing is in it twice."""

    def __init__(self, stream: MemoryUsageStream, violated: Callable[[str], None]) -> None:
        self._stream, self._violated = stream, violated
        self._here: set[str] = set()

    async def append(self, record: bytes, record_id: str) -> bool:
        is_new = await self._stream.append(record, record_id)
        if is_new and record_id in self._here:
            self._violated(f"the usage record {record_id} is in the stream twice")
        self._here.add(record_id)
        return is_new

    async def acknowledge(self, record_ids: Sequence[str]) -> int:
        self._here.difference_update(record_ids)
        return await self._stream.acknowledge(record_ids)
