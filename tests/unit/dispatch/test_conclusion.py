"""What the client is told when no attempt succeeded."""

import pytest

from adapters.testing.doubles import FakeProviderDirectory
from application.conclusion import conclude
from application.errors import (
    DeadlineExceeded,
    GatewayError,
    InvalidRequest,
    ModelNotAllowed,
    NoInstanceAvailable,
    RequestExceedsLimit,
    UnsupportedOperation,
    UpstreamFailed,
    UpstreamRateLimited,
    UpstreamRefused,
)
from application.gateway_request import GatewayRequest
from application.journey import Journey
from domain.callers import Caller, CallerKind
from domain.catalog import Catalog, RouterPolicy
from domain.chat import Endpoint, LlmRequest
from domain.durations import SECOND_US
from domain.failure import Failure, FailureKind
from domain.identifiers import InstanceId, ModelName, RequestId
from domain.resilience.deadline import Deadline
from domain.routing.candidates import Need
from domain.routing.decision import AttemptTrace, DecisionTrace, Exclusion, Refusal
from tests.unit.dispatch.gateway import member, models

GPT = ModelName("gpt")


def journey(*failures: Failure, refusals: dict[str, tuple[Exclusion, int | None]] | None = None) -> Journey:
    llm = LlmRequest(Endpoint.CHAT, "gpt", b"{}", {}, input_tokens=10)
    request = GatewayRequest(RequestId("r"), Caller(CallerKind.MASTER, "master"), llm)
    trace = DecisionTrace(RequestId("r"), "gpt", "chat", stream=False, started_us=0)
    for number, failure in enumerate(failures, 1):
        instance_id = InstanceId(f"i{number}")
        trace.attempts.append(
            AttemptTrace(number, GPT, instance_id, "custom", 0, outcome=failure.kind.value, status=failure.status)
        )
    made = Journey(
        request,
        Catalog(models(*(member("gpt", f"i{number}") for number in range(1, 5)))),
        RouterPolicy(),
        Need(Endpoint.CHAT, 160),
        Deadline(10**12),
        trace,
        FakeProviderDirectory({}),
    )
    made.failures.extend(failures)
    made.note_refusals(
        [Refusal(InstanceId(name), reason, wait_us) for name, (reason, wait_us) in (refusals or {}).items()]
    )
    return made


def failure(kind: FailureKind, retry_after_us: int | None = None, message: str = "said") -> Failure:
    return Failure(kind, message, status=500, retry_after_us=retry_after_us)


def refused(**refusals: tuple[Exclusion, int | None]) -> GatewayError:
    return conclude(journey(refusals=refusals))


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (["server_error", "connect_error"], UpstreamFailed),
        (["timeout", "timeout"], DeadlineExceeded),
        (["timeout", "server_error"], UpstreamFailed),
        (["rate_limited", "quota_exhausted"], UpstreamRateLimited),
        (["rate_limited", "server_error"], UpstreamFailed),
        (["credential_refused", "forbidden"], UpstreamFailed),
        (["server_error", "request_refused"], UpstreamRefused),
        (["context_length_exceeded"], UpstreamRefused),
        (["unsupported_operation"], UnsupportedOperation),
    ],
)
def test_failures_lead_to_the_error_that_tells_most(kinds: list[str], expected: type[GatewayError]) -> None:
    error = conclude(journey(*(failure(FailureKind(kind)) for kind in kinds)))

    assert type(error) is expected
    assert error.trace is not None


def test_the_deadline_is_named_where_it_passed_after_failures_of_other_kinds() -> None:
    story = journey(failure(FailureKind.SERVER_ERROR))
    story.deadline_passed = True

    assert type(conclude(story)) is DeadlineExceeded


def test_of_several_429_the_shortest_wait_counts_and_its_words() -> None:
    long, short = (
        failure(FailureKind.RATE_LIMITED, 30 * SECOND_US, "long"),
        failure(FailureKind.RATE_LIMITED, 2 * SECOND_US, "short"),
    )

    error = conclude(journey(short, long))

    assert isinstance(error, UpstreamRateLimited)
    assert (error.failure, error.message) == (short, "short")


def test_the_summary_names_attempts_and_never_the_providers_words() -> None:
    story = journey(*(failure(FailureKind.SERVER_ERROR, message="secret") for _ in range(12)))

    message = conclude(story).message

    assert "i1: server_error (500); i2" in message
    assert message.endswith("and 2 more")
    assert "secret" not in message


def test_the_earliest_reopening_is_the_retry_after() -> None:
    error = refused(i1=(Exclusion.CIRCUIT_OPEN, 9 * SECOND_US), i2=(Exclusion.COOLING_DOWN, 4 * SECOND_US))

    assert isinstance(error, NoInstanceAvailable)
    assert error.retry_after_us == 4 * SECOND_US


def test_a_full_instance_may_have_room_within_a_second_whatever_the_others_say() -> None:
    error = refused(i1=(Exclusion.COOLING_DOWN, 300 * SECOND_US), i2=(Exclusion.MAX_PARALLEL, None))

    assert isinstance(error, NoInstanceAvailable)
    assert error.retry_after_us == SECOND_US


@pytest.mark.parametrize(
    "elsewhere", [Exclusion.TAG_MISMATCH, Exclusion.NOT_ALLOWED, Exclusion.UNSUPPORTED, Exclusion.DISABLED]
)
def test_what_can_never_fit_is_told_so_though_others_could_not_be_asked(elsewhere: Exclusion) -> None:
    assert type(refused(i1=(Exclusion.TPM_LIMIT, None), i2=(elsewhere, None))) is RequestExceedsLimit


def test_what_fits_elsewhere_later_is_not_called_too_large() -> None:
    error = refused(i1=(Exclusion.TPM_LIMIT, None), i2=(Exclusion.TPM_LIMIT, 7 * SECOND_US))

    assert isinstance(error, NoInstanceAvailable)
    assert error.retry_after_us == 7 * SECOND_US


def test_what_no_provider_can_do_is_unsupported() -> None:
    error = refused(i1=(Exclusion.UNSUPPORTED, None), i2=(Exclusion.DISABLED, None))

    assert type(error) is UnsupportedOperation
    assert "custom" in error.message


def test_tags_that_nobody_carries_are_the_requests_own_error() -> None:
    error = refused(i1=(Exclusion.TAG_MISMATCH, None), i2=(Exclusion.NOT_ALLOWED, None))

    assert type(error) is InvalidRequest
    assert error.param == "x-moongate-tags"


def test_a_caller_that_none_of_the_instances_is_for_may_not_use_the_model() -> None:
    assert type(refused(i1=(Exclusion.NOT_ALLOWED, None), i2=(Exclusion.DISABLED, None))) is ModelNotAllowed


def test_a_model_without_an_enabled_instance_says_so() -> None:
    error = refused(i1=(Exclusion.DISABLED, None))

    assert type(error) is NoInstanceAvailable
    assert "all disabled" in error.message


def test_a_deadline_that_passed_before_anything_was_asked_is_named() -> None:
    story = journey()
    story.deadline_passed = True

    assert type(conclude(story)) is DeadlineExceeded
