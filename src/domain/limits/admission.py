"""All limits and budgets of a caller as one decision: every one of them admits, or nothing changes.

Each function reads everything first, decides, and writes last. Whoever calls one must let nothing else touch the meters
meanwhile: the memory adapter calls it without awaiting, the Redis adapter as one script.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from domain.budget.answers import Refused, Reserved, Resolved, Unverified
from domain.budget.charge import Reservation
from domain.durations import MINUTE_US, SECOND_US
from domain.identifiers import LeaseId, RequestId
from domain.limits.decision import Decision
from domain.limits.fixed_window import FixedWindow
from domain.limits.leases import Leases
from domain.limits.limit import Algorithm, Limit, LimitKind
from domain.limits.sliding_window import SlidingWindow
from domain.limits.token_bucket import TokenBucket

Meter = SlidingWindow | TokenBucket | FixedWindow | Leases
MeterOf = Callable[[Limit], Meter]
Reserve = Callable[[Reservation], Reserved | Refused | Unverified | Resolved]

# Nobody knows when a running request ends. A client that asks again each second finds the slot soon enough.
PARALLEL_RETRY_US = SECOND_US

# An admission is remembered until nothing of its charge can be in a window any more.
REMEMBERED_US = MINUTE_US + SECOND_US


@dataclass(frozen=True, slots=True)
class CallerAdmissionRequest:
    """A request of a caller that wants to pass all of its limits, and budgets.

    Attributes:
        account: Whose limits and budgets they are. Everything of one account is decided in one place.
        limits: In the order in which `CallerAdmitted` answers; their names differ.
        tokens: The estimate that limits of tokens reserve.
        lease_us: How long a slot is held without being renewed.
        reservation: What its first attempt may cost; None where no budget counts it.
    """

    request_id: RequestId
    account: str
    limits: tuple[Limit, ...]
    tokens: int
    lease_us: int
    reservation: Reservation | None = None

    def __post_init__(self) -> None:
        if self.tokens < 0 or self.lease_us <= 0:
            raise ValueError(f"expected tokens >= 0 and a lease > 0, found {self.tokens} and {self.lease_us}")
        if len({limit.name for limit in self.limits}) != len(self.limits):
            raise ValueError(f"two limits of one name: {[limit.name for limit in self.limits]}")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a limit stands after a decision."""

    limit: Limit
    decision: Decision


@dataclass(frozen=True, slots=True)
class CallerAdmitted:
    """The request may run. Every limit was charged and tells what is left.

    `degraded`: decided by this gateway alone, without the shared state. `reserved`: what is held of the budgets, or how
    that ended where the request was repeated; None where nothing is.
    """

    standings: tuple[Standing, ...]
    degraded: bool = False
    reserved: Reserved | Resolved | None = None

    def tightest(self, kind: LimitKind) -> Standing | None:
        """The limit of that kind with the least left, for the headers of the answer; None where there is none."""
        of_kind = (standing for standing in self.standings if standing.limit.kind is kind)
        return min(of_kind, key=lambda standing: standing.decision.remaining, default=None)


@dataclass(frozen=True, slots=True)
class CallerRefused:
    """The request must not run; nothing was changed.

    `limit` is the one that makes it wait longest: after `decision.retry_after_us`, if nobody comes before, all admit.
    """

    limit: Limit
    decision: Decision
    degraded: bool = False


CallerAnswer = CallerAdmitted | CallerRefused | Refused | Unverified
"""What a caller's request is told: admitted, refused by a limit, or by a budget."""


def admit(
    request: CallerAdmissionRequest, before: CallerAdmitted | None, meter_of: MeterOf, reserve: Reserve, now_us: int
) -> CallerAnswer:
    """Charges every limit and holds the reservation, or changes nothing. Limits are judged first.

    `before`: what the limits answered this request already; they are not charged again.
    """
    answer = before or _judge_now(request, meter_of, now_us)
    if isinstance(answer, CallerRefused):
        return answer
    if request.reservation is not None:
        reserved = reserve(request.reservation)
        if isinstance(reserved, Refused | Unverified):
            return reserved
        answer = replace(answer, reserved=reserved)
    if before is None:
        for limit in request.limits:
            _charge(limit, meter_of(limit), request, now_us)
    return answer


def judge(limits: Sequence[Limit], decisions: Sequence[Decision]) -> CallerAdmitted | CallerRefused:
    """The one answer that the decisions of all limits make."""
    refused: CallerRefused | None = None
    for limit, decision in zip(limits, decisions, strict=True):
        if not decision.allowed and (refused is None or _waits_longer(decision, refused.decision)):
            refused = CallerRefused(limit, decision)
    return refused or CallerAdmitted(tuple(map(Standing, limits, decisions)))


def settle(
    request: CallerAdmissionRequest, admitted_us: int, actual_tokens: int | None, meter_of: MeterOf, now_us: int
) -> None:
    """Corrects limits of tokens to what was used (None: unknown, the estimate stands) and gives the slots back."""
    used = request.tokens if actual_tokens is None else actual_tokens
    for limit in request.limits:
        _settle(limit, meter_of(limit), request, limit.amount(used), admitted_us, now_us)


def release(request: CallerAdmissionRequest, admitted_us: int, meter_of: MeterOf, now_us: int) -> None:
    """Gives back everything that was charged, and the slots."""
    for limit in request.limits:
        _settle(limit, meter_of(limit), request, 0, admitted_us, now_us)


def give_slots_back(request: CallerAdmissionRequest, meter_of: MeterOf, now_us: int) -> None:
    """Gives back the slots alone, where it is not known any more what was charged."""
    for meter in map(meter_of, request.limits):
        if isinstance(meter, Leases):
            meter.release(LeaseId(request.request_id), now_us)


def renew(request: CallerAdmissionRequest, meter_of: MeterOf, now_us: int) -> bool:
    """Extends the slots that are still held; False where one was lost."""
    meters = [meter for meter in map(meter_of, request.limits) if isinstance(meter, Leases)]
    held = [meter.renew(LeaseId(request.request_id), now_us, request.lease_us) for meter in meters]
    return all(held)


def new_meter(algorithm: Algorithm) -> Meter:
    """A meter that has counted nothing."""
    match algorithm:
        case Algorithm.SLIDING_WINDOW:
            return SlidingWindow()
        case Algorithm.TOKEN_BUCKET:
            return TokenBucket()
        case Algorithm.FIXED_WINDOW:
            return FixedWindow()
        case Algorithm.LEASES:
            return Leases()


def _judge_now(request: CallerAdmissionRequest, meter_of: MeterOf, now_us: int) -> CallerAdmitted | CallerRefused:
    decisions = [_decide(limit, meter_of(limit), limit.amount(request.tokens), now_us) for limit in request.limits]
    return judge(request.limits, decisions)


def _waits_longer(decision: Decision, than: Decision) -> bool:
    if than.retry_after_us is None:
        return False
    return decision.retry_after_us is None or decision.retry_after_us > than.retry_after_us


def _decide(limit: Limit, meter: Meter, amount: int, now_us: int) -> Decision:
    if not isinstance(meter, Leases):
        return meter.decide(limit.limit, amount, now_us)
    free = limit.limit - meter.live(now_us)
    if free > 0:
        return Decision(True, free - 1, 0, PARALLEL_RETRY_US)
    return Decision(False, 0, PARALLEL_RETRY_US, PARALLEL_RETRY_US)


def _charge(limit: Limit, meter: Meter, request: CallerAdmissionRequest, now_us: int) -> None:
    match meter:
        case Leases():
            meter.take(LeaseId(request.request_id), now_us, request.lease_us)
        case TokenBucket():
            meter.charge(limit.limit, limit.amount(request.tokens), now_us)
        case SlidingWindow() | FixedWindow():
            meter.charge(limit.amount(request.tokens), now_us)


def _settle(
    limit: Limit, meter: Meter, request: CallerAdmissionRequest, actual: int, admitted_us: int, now_us: int
) -> None:
    charged = limit.amount(request.tokens)
    match meter:
        case Leases():
            meter.release(LeaseId(request.request_id), now_us)
        case TokenBucket():
            meter.settle(limit.limit, charged, actual, admitted_us, now_us)
        case SlidingWindow():
            meter.settle(admitted_us // SECOND_US, actual - charged)
        case FixedWindow():
            meter.settle(admitted_us // MINUTE_US, actual - charged)
