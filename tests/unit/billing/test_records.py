"""What is written down of each attempt."""

import asyncio

import pytest

from adapters.testing.scripted_provider import Act, fails
from adapters.testing.virtual_time import run_virtual
from application.errors import GatewayError, StreamBroken
from domain.catalog import RouterPolicy
from domain.chat import Usage
from domain.failure import Failure, FailureKind
from domain.usage_record import UsageOutcome
from tests.unit.billing.tenant import gateway, priced, script, tenant, told

ONE_TRY = RouterPolicy(instance_retry_attempts=0)


def test_audit_8_a_record_has_every_field_that_the_predecessor_kept() -> None:
    async def scenario() -> None:
        one = gateway()
        began_us = one.clock.now_us()
        script(one, "a", Act(delay_us=7_000, usage=Usage(10, 5, 4)))

        completed = await one.complete("gpt", caller=tenant())

        (record,) = one.records()
        assert (record.request_id, record.attempt, record.first) == ("request-1", 1, True)
        assert (record.at_us, record.latency_us, record.ttft_us) == (began_us, 7_000, None)
        assert (record.model_asked, record.model_used, record.instance_id) == ("gpt", "upstream-a", "a")
        assert (record.account, record.key_id, record.user_id, record.team_id) == ("team:T", "K", "U", "T")
        assert (record.method, record.path, record.status, record.stream) == (
            "POST",
            "/v1/chat/completions",
            200,
            False,
        )
        assert (record.input_tokens, record.output_tokens, record.cached_input_tokens) == (10, 5, 4)
        assert (record.outcome, record.estimated, record.cost_nano) == (UsageOutcome.SUCCESS, False, 15)
        assert completed.cost_nano == 15

    run_virtual(scenario())


def test_a_reply_without_usage_is_counted_here_and_says_so() -> None:
    async def scenario() -> None:
        one = gateway()
        script(one, "a", Act(usage=None))

        await one.complete("gpt", caller=tenant(), input_tokens=12)

        (record,) = one.records()
        assert (record.input_tokens, record.estimated) == (12, True)
        assert record.output_tokens > 0

    run_virtual(scenario())


def test_each_attempt_is_a_record_and_one_of_them_is_the_first() -> None:
    async def scenario() -> None:
        one = gateway(priced("gpt", "a", priority=2), priced("gpt", "b"))
        script(one, "a", fails(FailureKind.SERVER_ERROR, status=500))

        await one.complete("gpt", caller=tenant())

        assert told(one) == [(1, "failed", 0), (2, "success", 15)]
        assert [(record.status, record.error_code, record.first) for record in one.records()] == [
            (500, "server_error", True),
            (200, None, False),
        ]

    run_virtual(scenario())


def test_what_was_never_sent_is_no_record() -> None:
    async def scenario() -> None:
        one = gateway(priced("gpt", "a", priority=2), priced("gpt", "b"))
        script(one, "a", fails(FailureKind.CONNECT))

        await one.complete("gpt", caller=tenant())

        (record,) = one.records()
        assert (record.attempt, record.outcome, record.first) == (2, UsageOutcome.SUCCESS, True)

    run_virtual(scenario())


def test_an_attempt_whose_end_nobody_heard_costs_what_was_expected_of_it() -> None:
    async def scenario() -> None:
        one = gateway(policy=ONE_TRY)
        lost = Failure(FailureKind.TIMEOUT, "no answer", ambiguous=True)
        script(one, "a", Act(failure=lost, chunks=0))

        with pytest.raises(GatewayError):
            await one.complete("gpt", caller=tenant(), input_tokens=12, max_output_tokens=30)

        (record,) = one.records()
        assert (record.outcome, record.estimated, record.cost_nano) == (UsageOutcome.UNKNOWN, True, 42)
        assert (record.status, record.error_code) == (None, "timeout")

    run_virtual(scenario())


def test_a_stream_that_breaks_costs_what_it_brought() -> None:
    async def scenario() -> None:
        one = gateway(policy=ONE_TRY)
        script(one, "a", Act(failure=Failure(FailureKind.BROKEN_REPLY, "cut", ambiguous=True), chunks=3))
        streaming = await one.stream("gpt", caller=tenant(), input_tokens=12)

        with pytest.raises(StreamBroken):
            [batch async for batch in streaming.chunks]

        (record,) = one.records()
        assert (record.outcome, record.estimated, record.input_tokens) == (UsageOutcome.CUT, True, 12)
        assert record.output_tokens >= 3
        assert record.cost_nano == 12 + record.output_tokens

    run_virtual(scenario())


def test_a_client_that_leaves_a_stream_pays_for_what_came() -> None:
    async def scenario() -> None:
        one = gateway()
        script(one, "a", Act(chunks=9, chunk_delay_us=1_000))
        streaming = await one.stream("gpt", caller=tenant(), input_tokens=12)
        await anext(streaming.chunks)
        await anext(streaming.chunks)

        await streaming.chunks.aclose()

        (record,) = one.records()
        assert (record.outcome, record.estimated) == (UsageOutcome.CANCELLED, True)
        assert record.cost_nano == 12 + record.output_tokens
        assert 2 <= record.output_tokens < 9
        assert record.ttft_us is not None

    run_virtual(scenario())


def test_a_client_that_leaves_before_the_reply_pays_for_what_was_expected() -> None:
    async def scenario() -> None:
        one = gateway()
        script(one, "a", Act(hang=True))
        task = asyncio.create_task(one.complete("gpt", caller=tenant(), input_tokens=12, max_output_tokens=30))
        await one.clock.sleep(5_000)

        task.cancel()
        await asyncio.wait([task])

        (record,) = one.records()
        assert (record.outcome, record.cost_nano, record.latency_us) == (UsageOutcome.CANCELLED, 42, 5_000)

    run_virtual(scenario())


def test_what_a_provider_refuses_costs_nothing() -> None:
    async def scenario() -> None:
        one = gateway()
        script(one, "a", fails(FailureKind.REQUEST_REFUSED, status=400))

        with pytest.raises(GatewayError):
            await one.complete("gpt", caller=tenant())

        assert told(one) == [(1, "failed", 0)]
        assert one.records()[0].status == 400

    run_virtual(scenario())


def test_code_that_is_no_word_is_in_no_record() -> None:
    async def scenario() -> None:
        one = gateway()
        for code in ("my diagnosis", "bad_value"):
            script(one, "a", Act(failure=Failure(FailureKind.REQUEST_REFUSED, "no", 400, code)))
            with pytest.raises(GatewayError):
                await one.complete("gpt", caller=tenant())

        assert [record.error_code for record in one.records()] == ["request_refused", "bad_value"]

    run_virtual(scenario())


def test_a_stream_is_billed_by_the_usage_that_its_provider_tells() -> None:
    async def scenario() -> None:
        one = gateway()
        script(one, "a", Act(chunks=3, usage=Usage(7, 8)))
        streaming = await one.stream("gpt", caller=tenant())

        assert [batch async for batch in streaming.chunks]

        (record,) = one.records()
        assert (record.outcome, record.estimated, record.cost_nano) == (UsageOutcome.SUCCESS, False, 15)
        assert (record.stream, record.ttft_us) == (True, 0)

    run_virtual(scenario())


def test_no_record_is_left_open() -> None:
    async def scenario() -> None:
        one = gateway(policy=ONE_TRY)
        kinds = [FailureKind.CONNECT, FailureKind.SERVER_ERROR, FailureKind.UNSUPPORTED, FailureKind.RATE_LIMITED]
        for kind in kinds:
            script(one, "a", fails(kind))
            with pytest.raises(GatewayError):
                await one.complete("gpt", caller=tenant())
            await one.clock.sleep(3_600_000_000)

        assert one.journal._open == {}

    run_virtual(scenario())
