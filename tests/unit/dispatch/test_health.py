"""Failure, circuit and recovery as requests meet them: the audit's sections 6.1 and 6.4."""

import asyncio

import pytest

from adapters.outbound.providers.messages_via_chat.token_count import CountingTokens
from adapters.testing.scripted_provider import Act, fails
from adapters.testing.virtual_time import run_virtual
from application.errors import GatewayError, NoInstanceAvailable, UpstreamFailed, UpstreamRefused
from domain.catalog import Catalog, Instance, RouterPolicy
from domain.chat import Endpoint
from domain.durations import SECOND_US
from domain.failure import FailureKind
from domain.latency import LatencyKind
from domain.resilience.circuit_breaker import CircuitBreakerConfig, CircuitState
from tests.unit.dispatch.gateway import Gateway, member, models

DOWN = fails(FailureKind.SERVER_ERROR, status=500)
SINGLE_ATTEMPTS = RouterPolicy(instance_retry_attempts=0)
ONE = member("gpt", "a", priority=2)
OTHER = member("gpt", "b", priority=1)


def gateway_of(*instances: Instance, breaker: CircuitBreakerConfig | None = None) -> Gateway:
    return Gateway(Catalog(models(*instances)), SINGLE_ATTEMPTS, breaker or CircuitBreakerConfig())


def state(gateway: Gateway, instance: Instance = ONE) -> CircuitState:
    return gateway.routing.view(instance, LatencyKind.WHOLE).circuit


async def fail(gateway: Gateway, times: int, act: Act = DOWN, error: type[GatewayError] = UpstreamFailed) -> None:
    for _ in range(times):
        gateway.upstream("a").script.append(act)
        with pytest.raises(error):
            await gateway.complete("gpt")


def test_audit_6_1_three_failures_in_a_row_open_and_a_success_between_them_does_not_count_as_one() -> None:
    async def scenario() -> None:
        gateway = gateway_of(ONE)
        await fail(gateway, 2)
        await gateway.complete("gpt")
        await fail(gateway, 2)
        assert state(gateway) is CircuitState.CLOSED
        await fail(gateway, 1)
        assert state(gateway) is CircuitState.OPEN

    run_virtual(scenario())


def test_audit_6_1_each_failure_is_counted_once() -> None:
    async def scenario() -> None:
        gateway = gateway_of(ONE, breaker=CircuitBreakerConfig(consecutive_failures=100, minimum_calls=10))
        for _ in range(5):
            await gateway.complete("gpt")
        await fail(gateway, 4)
        assert state(gateway) is CircuitState.CLOSED
        await fail(gateway, 1)
        assert state(gateway) is CircuitState.OPEN

    run_virtual(scenario())


@pytest.mark.parametrize("connecting", [FailureKind.CONNECT, FailureKind.TIMEOUT, FailureKind.BROKEN_REPLY])
def test_audit_6_1_whatever_is_the_providers_fault_counts(connecting: FailureKind) -> None:
    async def scenario() -> None:
        gateway = gateway_of(ONE)
        await fail(gateway, 3, fails(connecting), GatewayError)
        assert state(gateway) is CircuitState.OPEN

    run_virtual(scenario())


def test_audit_6_1_client_errors_and_disconnects_leave_an_instance_healthy() -> None:
    async def scenario() -> None:
        gateway = gateway_of(ONE)
        await fail(gateway, 20, fails(FailureKind.REQUEST_REFUSED, status=400), UpstreamRefused)
        gateway.upstream("a").otherwise = Act(hang=True)
        for _ in range(20):
            running = asyncio.create_task(gateway.complete("gpt"))
            await asyncio.sleep(1)
            running.cancel()
            await asyncio.wait([running])
        assert state(gateway) is CircuitState.CLOSED
        assert gateway.events.events == []

    run_virtual(scenario())


def test_audit_6_4_a_circuit_opens_half_opens_and_closes_by_requests_alone() -> None:
    async def scenario() -> None:
        gateway = gateway_of(ONE)
        await fail(gateway, 3)
        with pytest.raises(NoInstanceAvailable) as refused:
            await gateway.complete("gpt")
        await gateway.clock.sleep(refused.value.retry_after_us)

        probes = [(await gateway.complete("gpt")).trace.attempts[0].probe for _ in range(3)]

        assert probes == [True, True, False]
        assert [event.transition.after for event in gateway.events.circuits] == ["open", "half_open", "closed"]

    run_virtual(scenario())


def counting(gateway: Gateway) -> None:
    """Its instance answers no question for the length of a prompt: the gateway does."""
    gateway.upstreams[ONE.id] = CountingTokens(gateway.upstream("a"))  # type: ignore[assignment]  # another Provider


def test_what_the_gateway_answers_itself_closes_no_circuit() -> None:
    async def scenario() -> None:
        gateway = gateway_of(ONE)
        await fail(gateway, 3)
        await gateway.clock.sleep(10 * SECOND_US)
        counting(gateway)

        counted = [await gateway.complete("gpt", endpoint=Endpoint.COUNT_TOKENS) for _ in range(5)]

        assert {completed.reply.body for completed in counted} == {b'{"input_tokens":10}'}
        assert [event.transition.after for event in gateway.events.circuits] == ["open", "half_open"]

    run_virtual(scenario())


def test_what_the_gateway_answers_itself_makes_no_instance_look_fast() -> None:
    async def scenario() -> None:
        gateway = gateway_of(ONE)
        counting(gateway)

        await gateway.complete("gpt", endpoint=Endpoint.COUNT_TOKENS)

        assert gateway.routing.view(ONE, LatencyKind.WHOLE).latency_us is None

    run_virtual(scenario())


def test_audit_6_4_half_open_lets_one_probe_through_and_the_others_go_elsewhere() -> None:
    async def scenario() -> None:
        gateway = gateway_of(ONE, OTHER)
        await fail(gateway, 3)
        await gateway.clock.sleep(5 * SECOND_US)
        gateway.upstream("a").otherwise = Act(delay_us=2 * SECOND_US)

        served = await asyncio.gather(*(gateway.complete("gpt") for _ in range(20)))

        assert [completed.instance.id for completed in served].count(ONE.id) == 1
        assert gateway.upstream("a").most_running == 1

    run_virtual(scenario())


def test_audit_6_4_a_probe_whose_client_leaves_makes_room_for_the_next() -> None:
    async def scenario() -> None:
        gateway = gateway_of(ONE)
        await fail(gateway, 3)
        await gateway.clock.sleep(5 * SECOND_US)
        gateway.upstream("a").script.append(Act(hang=True))
        probe = asyncio.create_task(gateway.complete("gpt"))
        await asyncio.sleep(1)
        with pytest.raises(NoInstanceAvailable):
            await gateway.complete("gpt")

        probe.cancel()
        await asyncio.wait([probe])

        assert (await gateway.complete("gpt")).trace.attempts[0].probe

    run_virtual(scenario())


def test_audit_11_recovery_takes_seconds_and_needs_no_health_check() -> None:
    async def scenario() -> None:
        gateway = gateway_of(ONE, OTHER)
        await fail(gateway, 3)
        served = []
        for _ in range(gateway.breaker.open_duration_us // SECOND_US + 1):
            served.append(str((await gateway.complete("gpt")).instance.id))
            await gateway.clock.sleep(SECOND_US)

        assert served[0] == OTHER.id
        assert served[-1] == ONE.id

    run_virtual(scenario())


def test_audit_10_one_slow_or_dead_model_never_delays_another() -> None:
    async def scenario() -> None:
        bad = member("bad", "dead")
        gateway = gateway_of(ONE, bad)
        gateway.upstream("dead").otherwise = Act(hang=True)

        async def timed(model: str) -> int:
            before_us = gateway.clock.monotonic_us()
            await gateway.complete(model, timeout_us=30 * SECOND_US)
            return gateway.clock.monotonic_us() - before_us

        gateway.upstream("a").otherwise = Act(delay_us=SECOND_US)
        results = await asyncio.gather(*(timed(name) for name in ["bad", "gpt"] * 25), return_exceptions=True)

        assert all(isinstance(result, GatewayError) for result in results[::2])
        assert results[1::2] == [SECOND_US] * 25

    run_virtual(scenario())
