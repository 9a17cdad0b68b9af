"""The limits of a caller and the choice of an instance: both or neither."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from adapters.outbound.memory.admission import MemoryAdmission
from adapters.testing.scripted_provider import Act, fails
from adapters.testing.virtual_time import run_virtual
from application.errors import (
    NoInstanceAvailable,
    RateLimited,
    RequestExceedsLimit,
    StateUnavailable,
    UpstreamRefused,
)
from application.gateway_request import Streaming
from domain.callers import Caller, CallerKind
from domain.catalog import Catalog, RouterPolicy
from domain.chat import Endpoint
from domain.durations import SECOND_US
from domain.failure import FailureKind
from domain.identifiers import RequestId
from domain.latency import LatencyKind
from domain.limits.admission import CallerAdmissionRequest, CallerAdmitted, CallerAnswer, CallerRefused
from domain.limits.limit import Algorithm, Limit, LimitKind
from domain.limits.rate_policy import RatePolicy
from domain.routing.admission import AdmissionRequest, Admitted
from domain.routing.strategy import StrategyName
from tests.unit.dispatch.gateway import Gateway, member, models

ONE, OTHER = Caller(CallerKind.ANONYMOUS, "192.0.2.1"), Caller(CallerKind.ANONYMOUS, "192.0.2.2")
ROUND_ROBIN = RouterPolicy(strategy=StrategyName.WEIGHTED_ROUND_ROBIN)
MEMBERS = (member("m", "a", weight_milli=5_000), member("m", "b"), member("m", "c"))


def test_what_asks_no_model_counts_as_a_request_and_nothing_else() -> None:
    async def scenario() -> None:
        caller = Caller(
            CallerKind.KEY,
            "K",
            limits=(
                Limit("key:K:rpm", LimitKind.REQUESTS, 2),
                Limit("key:K:tpm", LimitKind.TOKENS, 1),
                Limit("key:K:parallel", LimitKind.PARALLEL, 1, Algorithm.LEASES),
            ),
        )
        gateway = Gateway(Catalog(models(*MEMBERS)), rates=RatePolicy(everywhere=1))

        standings = [await gateway.gate.pass_by(RequestId(f"r{number}"), caller) for number in range(2)]
        with pytest.raises(RateLimited) as refused:
            await gateway.gate.pass_by(RequestId("r3"), caller)

        assert [[(each.limit.name, each.decision.remaining) for each in found] for found in standings] == [
            [("key:K:rpm", 1)],
            [("key:K:rpm", 0)],
        ]
        assert [each.limit.name for each in refused.value.limits] == ["key:K:rpm"]

    run_virtual(scenario())


def test_what_asks_no_model_counts_with_all_other_endpoints() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(*MEMBERS)), rates=RatePolicy(everywhere=2, by_endpoint={Endpoint.CHAT: 1}))

        await gateway.complete("m", caller=ONE)
        await gateway.complete("m", caller=ONE, endpoint=Endpoint.EMBEDDINGS)
        await gateway.gate.pass_by(RequestId("r1"), ONE)
        with pytest.raises(RateLimited):
            await gateway.gate.pass_by(RequestId("r2"), ONE)
        assert await gateway.gate.pass_by(RequestId("r3"), Caller(CallerKind.MASTER, "master")) == ()

    run_virtual(scenario())


class SlowAdmission(MemoryAdmission):
    """Decides at once and answers late, as a store does that is far away."""

    delay_us = SECOND_US

    async def admit(self, request: CallerAdmissionRequest) -> CallerAnswer:
        answer = await super().admit(request)
        await self._clock.sleep(self.delay_us)
        return answer


class AwayAdmission(MemoryAdmission):
    """Never answers, under a policy that is closed."""

    async def admit(self, request: CallerAdmissionRequest) -> CallerAnswer:
        raise StateUnavailable(f"no answer to {request.request_id}")


class AloneAdmission(MemoryAdmission):
    """Decides as a gateway does whose store is away."""

    async def admit(self, request: CallerAdmissionRequest) -> CallerAnswer:
        answer = await super().admit(request)
        assert isinstance(answer, CallerAdmitted | CallerRefused)
        return replace(answer, degraded=True)


def gateway(rpm: int, **changes: Any) -> Gateway:
    return Gateway(Catalog(models(*MEMBERS)), policy=ROUND_ROBIN, rates=RatePolicy(everywhere=rpm), **changes)


def limited_by(limit: Limit) -> Gateway:
    class OneLimit(RatePolicy):
        def limits_of(self, _caller: Caller, _endpoint: Endpoint) -> tuple[Limit, ...]:
            return (limit,)

    return Gateway(Catalog(models(*MEMBERS)), rates=OneLimit())


async def served_by(gate: Gateway, caller: Caller, count: int) -> str:
    return "".join([str((await gate.complete("m", caller=caller)).instance.id) for _ in range(count)])


def in_flight(gate: Gateway) -> int:
    return sum(gate.routing.view(each, LatencyKind.WHOLE).in_flight for each in MEMBERS)


def test_a_caller_gets_as_many_requests_as_its_limit_and_then_learns_when_to_come_back() -> None:
    async def scenario() -> None:
        gate = gateway(3)
        await served_by(gate, ONE, 3)

        with pytest.raises(
            RateLimited, match=r"over your limit of 3 requests per minute: try again in 6[01] s"
        ) as said:
            await gate.complete("m", caller=ONE)

        assert 60 * SECOND_US <= said.value.retry_after_us <= 61 * SECOND_US
        assert said.value.trace is gate.last_trace()
        assert gate.last_trace().outcome == "RateLimited"
        await gate.clock.sleep(said.value.retry_after_us)
        await served_by(gate, ONE, 1)

    run_virtual(scenario())


def test_admission_and_refusal_both_tell_that_this_gateway_decided_alone() -> None:
    async def scenario() -> None:
        gate = gateway(1, make_admission=AloneAdmission)
        await served_by(gate, ONE, 1)
        assert gate.last_trace().degraded == ("rate_limit",)

        with pytest.raises(RateLimited):
            await gate.complete("m", caller=ONE)

        assert gate.last_trace().degraded == ("rate_limit",)

    run_virtual(scenario())


def test_each_caller_has_its_limit_to_itself_and_the_master_key_has_none() -> None:
    async def scenario() -> None:
        gate = gateway(1)
        await served_by(gate, ONE, 1)
        await served_by(gate, OTHER, 1)

        await gate.complete("m")
        await gate.complete("m")

    run_virtual(scenario())


@pytest.mark.parametrize("refusals", [1, 2, 7])
def test_requests_refused_for_their_callers_limit_leave_the_round_robin_of_the_others_exact(refusals: int) -> None:
    async def scenario() -> None:
        undisturbed, disturbed = gateway(1_000), gateway(1_000)
        disturbed.gate._policy = RatePolicy(everywhere=1)
        await served_by(disturbed, ONE, 1)
        await served_by(undisturbed, ONE, 1)
        said = ""
        for _ in range(20):
            for _ in range(refusals):
                with pytest.raises(RateLimited):
                    await disturbed.complete("m", caller=ONE)
                disturbed.gate._refused_until_us.clear()  # so that each is asked in one step with routing
            said += str((await disturbed.complete("m")).instance.id)

        assert said == await served_by(undisturbed, Caller(CallerKind.MASTER, "master"), 20)
        assert in_flight(disturbed) == 0

    run_virtual(scenario())


def test_a_caller_that_was_just_refused_is_asked_alone_until_its_time_has_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario() -> None:
        gate = gateway(1)
        await served_by(gate, ONE, 1)
        with pytest.raises(RateLimited) as said:
            await gate.complete("m", caller=ONE)
        withdrawn: list[AdmissionRequest] = []
        monkeypatch.setattr(gate.routing, "withdraw", withdrawn.append)

        for _ in range(5):
            with pytest.raises(RateLimited):
                await gate.complete("m", caller=ONE)

        assert withdrawn == []
        await gate.clock.sleep(said.value.retry_after_us)
        await served_by(gate, ONE, 1)

    run_virtual(scenario())


def test_a_request_that_finds_no_instance_costs_its_caller_nothing() -> None:
    async def scenario() -> None:
        gate = gateway(1)
        for each in MEMBERS:
            gate.states.of(each).drained = True
        with pytest.raises(NoInstanceAvailable):
            await gate.complete("m", caller=ONE)
        await gate.gate.settle()
        for each in MEMBERS:
            gate.states.of(each).drained = False

        await served_by(gate, ONE, 1)

    run_virtual(scenario())


def test_an_attempt_that_failed_counts_against_its_callers_limit() -> None:
    async def scenario() -> None:
        gate = gateway(1)
        for each in MEMBERS:
            gate.upstream(each.id).otherwise = fails(FailureKind.REQUEST_REFUSED, status=400)
        with pytest.raises(UpstreamRefused):
            await gate.complete("m", caller=ONE)
        await gate.gate.settle()

        with pytest.raises(RateLimited):
            await gate.complete("m", caller=ONE)

    run_virtual(scenario())


def test_retries_and_fallbacks_of_one_request_count_once() -> None:
    async def scenario() -> None:
        gate = gateway(2)
        gate.upstream("a").otherwise = fails(FailureKind.SERVER_ERROR, status=500)

        said = await gate.complete("m", caller=ONE)

        assert len(said.trace.attempts) == 2
        await served_by(gate, ONE, 1)
        with pytest.raises(RateLimited):
            await gate.complete("m", caller=ONE)

    run_virtual(scenario())


def test_a_request_larger_than_its_token_limit_is_told_that_waiting_never_helps() -> None:
    async def scenario() -> None:
        gate = limited_by(Limit("tpm", LimitKind.TOKENS, 100))

        with pytest.raises(
            RequestExceedsLimit, match="about 160 tokens can never fit 100 tokens per minute: send less"
        ):
            await gate.complete("m", caller=ONE)

    run_virtual(scenario())


def test_tokens_are_reserved_before_the_call_and_settled_to_what_was_used() -> None:
    async def scenario() -> None:
        gate = limited_by(Limit("tpm", LimitKind.TOKENS, 200))
        await gate.complete("m", caller=ONE, max_output_tokens=190)  # the whole limit is reserved, 15 are used
        await gate.gate.settle()

        await gate.complete("m", caller=ONE, max_output_tokens=175)
        await gate.gate.settle()
        with pytest.raises(RateLimited):
            await gate.complete("m", caller=ONE, max_output_tokens=175)

    run_virtual(scenario())


@pytest.mark.parametrize("stream", [False, True])
def test_slots_of_a_caller_are_held_while_its_requests_run_and_renewed_beyond_a_lease(stream: bool) -> None:
    async def scenario() -> None:
        gate = limited_by(Limit("parallel", LimitKind.PARALLEL, 1, Algorithm.LEASES))
        renewing = asyncio.create_task(gate.gate.run())
        for each in MEMBERS:
            gate.upstream(each.id).otherwise = Act(delay_us=55 * SECOND_US)
        running = asyncio.create_task(gate.stream("m", caller=ONE) if stream else gate.complete("m", caller=ONE))
        await gate.clock.sleep(50 * SECOND_US)
        with pytest.raises(RateLimited, match="over your limit of 1 requests at the same time"):
            await gate.complete("m", caller=ONE)

        served = await running
        if isinstance(served, Streaming):
            await served.chunks.aclose()
        await gate.gate.settle()

        await gate.complete("m", caller=ONE)
        renewing.cancel()

    run_virtual(scenario())


def test_a_client_that_leaves_while_it_is_let_in_holds_nothing() -> None:
    async def scenario() -> None:
        gate = gateway(1, make_admission=SlowAdmission)
        leaving = asyncio.create_task(gate.complete("m", caller=ONE))
        await gate.clock.sleep(SECOND_US // 2)

        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        await gate.gate.settle()

        assert in_flight(gate) == 0
        assert gate.calls() == {}
        await served_by(gate, ONE, 1)

    run_virtual(scenario())


def test_a_client_that_leaves_while_it_is_asked_alone_holds_nothing() -> None:
    async def scenario() -> None:
        gate = gateway(1, make_admission=SlowAdmission)
        gate.gate._remember(ONE.account, "anonymous:192.0.2.1:rpm:any", 10 * SECOND_US)
        leaving = asyncio.create_task(gate.complete("m", caller=ONE))
        await gate.clock.sleep(SECOND_US // 2)

        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        await gate.gate.settle()

        await served_by(gate, ONE, 1)

    run_virtual(scenario())


def test_a_slot_of_a_client_that_left_while_it_was_let_in_is_not_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        gate = limited_by(Limit("parallel", LimitKind.PARALLEL, 1, Algorithm.LEASES))
        gate.gate._remember(ONE.account, "parallel", 10 * SECOND_US)

        async def cancelled(_: AdmissionRequest) -> Admitted:
            raise asyncio.CancelledError

        monkeypatch.setattr(gate.routing, "admit", cancelled)  # the client leaves just then
        with pytest.raises(asyncio.CancelledError):
            await gate.complete("m", caller=ONE)

        assert gate.gate._to_renew == {}

    run_virtual(scenario())


def test_a_limit_of_one_endpoint_makes_no_other_endpoint_wait() -> None:
    async def scenario() -> None:
        gate = gateway(5)
        gate.gate._policy = RatePolicy(everywhere=5, by_endpoint={Endpoint.CHAT: 1})
        await gate.complete("m", caller=ONE)
        with pytest.raises(RateLimited):
            await gate.complete("m", caller=ONE)
        entry = gate.gate.entry(gate.request("m", caller=ONE, endpoint=Endpoint.EMBEDDINGS), 0)

        assert entry is not None
        assert not gate.gate._was_just_refused(entry)

    run_virtual(scenario())


def test_a_store_that_is_away_under_a_closed_policy_refuses_and_leaves_the_turns_alone() -> None:
    async def scenario() -> None:
        gate = gateway(1, make_admission=AwayAdmission)
        with pytest.raises(StateUnavailable) as said:
            await gate.complete("m", caller=ONE)

        assert said.value.trace is not None
        assert in_flight(gate) == 0
        master = Caller(CallerKind.MASTER, "master")
        assert await served_by(gate, master, 7) == await served_by(gateway(1), master, 7)

    run_virtual(scenario())


def test_remembered_refusals_are_bounded() -> None:
    async def scenario() -> None:
        gate = gateway(1)
        for number in range(10_100):
            gate.gate._remember(f"anonymous:{number}", "rpm", SECOND_US)

        assert len(gate.gate._refused_until_us) == 10_000

    run_virtual(scenario())


def test_endpoints_with_a_limit_of_their_own_count_apart_and_all_others_together() -> None:
    policy = RatePolicy(Algorithm.FIXED_WINDOW, 10, {Endpoint.CHAT: 5})

    limits = {endpoint: policy.limits_of(ONE, endpoint)[0] for endpoint in Endpoint}
    chat, completions, embeddings = (limits[one] for one in (Endpoint.CHAT, Endpoint.COMPLETIONS, Endpoint.EMBEDDINGS))

    assert (chat.limit, chat.name) == (5, "anonymous:192.0.2.1:rpm:chat")
    assert (completions.limit, completions.algorithm) == (10, Algorithm.FIXED_WINDOW)
    assert embeddings == completions
    assert limits[Endpoint.MESSAGES] == limits[Endpoint.RESPONSES] == chat
    assert RatePolicy().limits_of(ONE, Endpoint.CHAT) == ()
