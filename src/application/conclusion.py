"""What the client is told when no attempt succeeded."""

from application.errors import (
    DeadlineExceeded,
    GatewayError,
    InvalidRequest,
    ModelNotAllowed,
    NoInstanceAvailable,
    RequestExceedsLimit,
    UnpricedModel,
    UnsupportedOperation,
    UpstreamFailed,
    UpstreamRateLimited,
    UpstreamRefused,
)
from application.journey import Journey
from domain.durations import SECOND_US
from domain.failure import Failure, FailureKind
from domain.routing.decision import DecisionTrace, Exclusion, Refusal

_THE_REQUESTS_OWN = frozenset({FailureKind.REQUEST_REFUSED, FailureKind.CONTEXT_LENGTH})
_LIMITED = frozenset({FailureKind.RATE_LIMITED, FailureKind.QUOTA_EXHAUSTED})
_NEVER_ASKED = frozenset({Exclusion.TAG_MISMATCH, Exclusion.UNSUPPORTED, Exclusion.NOT_ALLOWED, Exclusion.UNPRICED})
_LISTED = 10


def conclude(journey: Journey) -> GatewayError:
    """The error that tells most about why the request was not served."""
    error = _telling_most(journey)
    error.lacked_time = journey.lacked_time or journey.deadline_passed
    return error


def _telling_most(journey: Journey) -> GatewayError:
    if not journey.failures:
        return _nothing_tried(journey)
    trace = journey.trace
    last = journey.failures[-1]
    if last.kind is FailureKind.UNSUPPORTED:
        return UnsupportedOperation(last.message, param=last.param, trace=trace)
    if last.kind in _THE_REQUESTS_OWN:
        return UpstreamRefused(last.message, failure=last, trace=trace)
    kinds = {failure.kind for failure in journey.failures}
    if kinds <= _LIMITED:
        soonest = _soonest(journey.failures)
        return UpstreamRateLimited(soonest.message, failure=soonest, trace=trace)
    if journey.deadline_passed or kinds == {FailureKind.TIMEOUT}:
        return DeadlineExceeded(f"no provider answered in time: {_summary(trace)}", trace=trace)
    return UpstreamFailed(f"every attempt failed: {_summary(trace)}", failure=last, trace=trace)


def _nothing_tried(journey: Journey) -> GatewayError:
    trace, model = journey.trace, journey.request.llm.model
    if journey.deadline_passed:
        return DeadlineExceeded("the deadline passed before a provider could be asked", trace=trace)
    refusals = list(journey.refusals.values())
    reasons = {refusal.reason for refusal in refusals} - {Exclusion.DISABLED}
    waits = [wait_us for refusal in refusals if (wait_us := _wait_us(refusal)) is not None]
    if reasons and reasons <= _NEVER_ASKED:
        return _nobody_suits(journey, reasons)
    if reasons - _NEVER_ASKED == {Exclusion.TPM_LIMIT} and not waits:
        message = f"about {journey.need.tokens} tokens can never fit the tokens per minute of {model!r}: send less"
        return RequestExceedsLimit(message, trace=trace)
    said = ", ".join(sorted(reason.value for reason in reasons)) or "all disabled"
    return NoInstanceAvailable(
        f"no instance of {model!r} can take the request now ({said})",
        retry_after_us=min(waits, default=SECOND_US),
        trace=trace,
    )


def _nobody_suits(journey: Journey, reasons: set[Exclusion]) -> GatewayError:
    trace, model = journey.trace, journey.request.llm.model
    if reasons == {Exclusion.UNSUPPORTED}:
        return UnsupportedOperation(_unsupported(journey), trace=trace)
    if Exclusion.UNPRICED in reasons:
        said = f"no price is known for {model!r}, and this gateway serves no model without one: set one, or ask another"
        return UnpricedModel(said, param="model", trace=trace)
    if Exclusion.TAG_MISMATCH not in reasons:
        return ModelNotAllowed(f"this key may not use any instance of {model!r}", param="model", trace=trace)
    wanted = ", ".join(sorted(journey.need.wanted_tags))
    return InvalidRequest(f"no instance of {model!r} carries the tags: {wanted}", param="x-moongate-tags", trace=trace)


def _wait_us(refusal: Refusal) -> int | None:
    """When it may be taken again. Nobody knows when a running request ends: a second is a fair guess."""
    return SECOND_US if refusal.reason is Exclusion.MAX_PARALLEL else refusal.retry_after_us


def _unsupported(journey: Journey) -> str:
    providers = sorted(
        {
            instance.provider
            for instance in journey.catalog.all_instances()
            if instance.id in journey.refusals and instance.enabled
        }
    )
    endpoint, model = journey.request.llm.endpoint.value, journey.request.llm.model
    return f"{endpoint} is not supported by the provider of {model!r}: {', '.join(providers)}"


def _soonest(failures: list[Failure]) -> Failure:
    """The failure whose wait is the shortest; one without a wish counts as its ordinary cooldown."""
    return min(failures, key=lambda failure: failure.retry_after_us or failure.cooldown_us)


def _summary(trace: DecisionTrace) -> str:
    """One clause an attempt: the instance, what happened, the provider's status. Never its message: it may leak."""
    said = [
        f"{attempt.instance_id}: {attempt.outcome}" + (f" ({attempt.status})" if attempt.status else "")
        for attempt in trace.attempts[:_LISTED]
    ]
    more = len(trace.attempts) - _LISTED
    return "; ".join(said) + (f"; and {more} more" if more > 0 else "")
