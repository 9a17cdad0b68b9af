from dataclasses import dataclass, replace

from adapters.outbound.memory.budget_accounts import BudgetAccounts
from application.ports.admission import CallerAdmission
from application.ports.clock import Clock
from domain.budget.charge import AccountId
from domain.durations import MINUTE_US
from domain.identifiers import RequestId
from domain.limits.admission import (
    REMEMBERED_US,
    CallerAdmissionRequest,
    CallerAdmitted,
    CallerAnswer,
    Meter,
    MeterOf,
    Reserve,
    admit,
    give_slots_back,
    new_meter,
    release,
    renew,
    settle,
)
from domain.limits.leases import Leases
from domain.limits.limit import Algorithm, Limit

_MeterKey = tuple[str, Algorithm, str]

# Longer than anything a meter of a minute remembers: the farthest is what a token bucket is owed.
_KEPT_US = 3 * MINUTE_US
_SWEPT_AT_ONCE = 4


@dataclass(slots=True)
class _Held:
    answer: CallerAdmitted
    admitted_us: int
    ended: bool = False


class MemoryAdmission:
    """Limits of one process. No method awaits anything, so each is atomic among the tasks of its loop.

    `accounts` is what the MemoryBudgets beside it count in. Callers that are not heard of any more are forgotten a few
    at a time, whenever another one is admitted.
    """

    def __init__(self, clock: Clock, accounts: BudgetAccounts | None = None) -> None:
        self._clock = clock
        self._accounts = accounts or BudgetAccounts()
        self._offset_us: int | None = None
        self._meters: dict[_MeterKey, Meter] = {}
        self._touched_us: dict[_MeterKey, int] = {}
        self._held: dict[RequestId, _Held] = {}

    async def admit(self, request: CallerAdmissionRequest) -> CallerAnswer:
        now_us = self._now_us()
        self._forget(now_us)
        held = self._held.get(request.request_id)
        before = None if held is None else held.answer
        answer = admit(request, before, self._meters_of(request, now_us), self._reserve_of(request), now_us)
        if isinstance(answer, CallerAdmitted) and held is None:
            self._held[request.request_id] = _Held(replace(answer, reserved=None), now_us)
        return answer

    async def settle(self, request: CallerAdmissionRequest, actual_tokens: int | None) -> None:
        now_us = self._now_us()
        meter_of = self._meters_of(request, now_us)
        held = self._end(request, now_us)
        if held is None:
            give_slots_back(request, meter_of, now_us)
        else:
            settle(request, held.admitted_us, actual_tokens, meter_of, now_us)

    async def release(self, request: CallerAdmissionRequest) -> None:
        now_us = self._now_us()
        meter_of = self._meters_of(request, now_us)
        held = self._end(request, now_us)
        if held is None:
            give_slots_back(request, meter_of, now_us)
        else:
            release(request, held.admitted_us, meter_of, now_us)

    async def renew(self, request: CallerAdmissionRequest) -> bool:
        now_us = self._now_us()
        return renew(request, self._meters_of(request, now_us), now_us)

    def _now_us(self) -> int:
        monotonic_us = self._clock.monotonic_us()
        if self._offset_us is None:
            # Minutes begin when those of the wall clock do, but never twice: time that goes back would break windows.
            self._offset_us = self._clock.now_us() - monotonic_us
        return monotonic_us + self._offset_us

    def _reserve_of(self, request: CallerAdmissionRequest) -> Reserve:
        # By the wall clock, as the budgets beside it: their periods are of the calendar.
        return lambda asked: self._accounts.of(AccountId(request.account)).reserve(asked, self._clock.now_us())

    def _meters_of(self, request: CallerAdmissionRequest, now_us: int) -> MeterOf:
        def meter_of(limit: Limit) -> Meter:
            key = (request.account, limit.algorithm, limit.name)
            self._touched_us.pop(key, None)  # to the end of those that are waiting to be forgotten
            self._touched_us[key] = now_us
            meter = self._meters.get(key)
            if meter is None:
                meter = self._meters[key] = new_meter(limit.algorithm)
            return meter

        return meter_of

    def _end(self, request: CallerAdmissionRequest, now_us: int) -> _Held | None:
        """The admission that ends here; None where it ended before or is forgotten."""
        held = self._held.get(request.request_id)
        if held is None or held.ended or now_us >= held.admitted_us + REMEMBERED_US:
            return None
        held.ended = True
        return held

    def _forget(self, now_us: int) -> None:
        while self._held:
            request_id, held = next(iter(self._held.items()))
            if now_us < held.admitted_us + REMEMBERED_US:
                break
            del self._held[request_id]
        for _ in range(min(_SWEPT_AT_ONCE, len(self._touched_us))):
            key = next(iter(self._touched_us))
            if now_us < self._touched_us[key] + _KEPT_US:
                break
            del self._touched_us[key]
            meter = self._meters[key]
            if isinstance(meter, Leases) and meter.live(now_us):
                self._touched_us[key] = now_us
            else:
                del self._meters[key]


_conforms: type[CallerAdmission] = MemoryAdmission
