"""When and where an attempt is followed by another one."""

import pytest

from adapters.testing.scripted_provider import Act, fails
from adapters.testing.virtual_time import run_virtual
from application.errors import UpstreamFailed, UpstreamRateLimited
from domain.catalog import Catalog, InstanceLimits
from domain.durations import SECOND_US
from domain.failure import FailureKind
from domain.identifiers import ModelName
from domain.resilience.circuit_breaker import CircuitBreakerConfig
from domain.resilience.retry_budget import RetryBudgetConfig
from tests.unit.dispatch.gateway import Gateway, member, models

GPT, SMALL = ModelName("gpt"), ModelName("small")
DOWN = fails(FailureKind.SERVER_ERROR, status=500)


def busy_for(span_s: int) -> Act:
    return fails(FailureKind.SERVER_ERROR, status=503, retry_after_us=span_s * SECOND_US)


def test_a_provider_that_wants_a_long_pause_is_left_for_the_fallback_at_once() -> None:
    async def scenario() -> None:
        catalog = Catalog(models(member("gpt", "a"), member("small", "b")), fallbacks={GPT: (SMALL,)})
        gateway = Gateway(catalog)
        gateway.upstream("a").otherwise = busy_for(3_600)
        before_us = gateway.clock.monotonic_us()

        completed = await gateway.complete("gpt")

        assert completed.instance.id == "b"
        assert gateway.clock.monotonic_us() - before_us < SECOND_US

    run_virtual(scenario())


def test_a_pause_that_would_outlast_the_deadline_is_not_begun() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(member("gpt", "a"))))
        gateway.upstream("a").otherwise = busy_for(5)
        before_us = gateway.clock.monotonic_us()

        with pytest.raises(UpstreamFailed):
            await gateway.complete("gpt", timeout_us=4 * SECOND_US)

        assert gateway.clock.monotonic_us() == before_us

    run_virtual(scenario())


def test_a_short_wish_to_pause_is_waited_out_at_a_lone_instance() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(member("gpt", "a"))))
        gateway.upstream("a").script.append(busy_for(2))

        completed = await gateway.complete("gpt")

        first, second = completed.trace.attempts
        assert second.started_us - first.started_us >= 2 * SECOND_US

    run_virtual(scenario())


def test_a_503_that_names_its_pause_rests_the_instance_for_it() -> None:
    async def scenario() -> None:
        gateway = Gateway(Catalog(models(member("gpt", "a", priority=2), member("gpt", "b", priority=1))))
        gateway.upstream("a").script.append(busy_for(20))

        assert (await gateway.complete("gpt")).instance.id == "b"
        await gateway.clock.sleep(19 * SECOND_US)
        assert (await gateway.complete("gpt")).instance.id == "b"
        await gateway.clock.sleep(2 * SECOND_US)
        assert (await gateway.complete("gpt")).instance.id == "a"

    run_virtual(scenario())


def test_a_lone_survivor_is_tried_again_after_a_pause_like_a_lone_instance() -> None:
    async def scenario() -> None:
        spent = InstanceLimits(requests_per_minute=1)
        gateway = Gateway(Catalog(models(member("gpt", "a"), member("gpt", "b", priority=1, limits=spent))))
        assert (await gateway.complete("gpt")).instance.id == "b"
        gateway.upstream("a").script.append(DOWN)

        completed = await gateway.complete("gpt")

        assert [attempt.instance_id for attempt in completed.trace.attempts] == ["a", "a"]

    run_virtual(scenario())


def test_a_retry_that_cannot_be_made_costs_no_retry_budget() -> None:
    async def scenario() -> None:
        limited = fails(FailureKind.RATE_LIMITED, status=429, retry_after_us=SECOND_US)
        gateway = Gateway(Catalog(models(member("gpt", "a"))), budget=RetryBudgetConfig(percent=20, min_per_second=0))
        for _ in range(30):
            gateway.upstream("a").script.append(limited)
            with pytest.raises(UpstreamRateLimited):
                await gateway.complete("gpt")
            await gateway.clock.sleep(SECOND_US + 1)
        gateway.upstream("a").script.extend([DOWN, DOWN])

        assert len((await gateway.complete("gpt")).trace.attempts) == 3

    run_virtual(scenario())


def test_nobody_waits_for_an_instance_whose_circuit_has_just_opened() -> None:
    async def scenario() -> None:
        catalog = Catalog(models(member("gpt", "a"), member("small", "b")), fallbacks={GPT: (SMALL,)})
        gateway = Gateway(catalog, breaker=CircuitBreakerConfig(consecutive_failures=1))
        gateway.upstream("a").otherwise = DOWN
        before_us = gateway.clock.monotonic_us()

        assert (await gateway.complete("gpt")).instance.id == "b"

        assert gateway.clock.monotonic_us() == before_us

    run_virtual(scenario())
