"""Leases of attempts that run longer than a lease lasts."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

import pytest

from adapters.outbound.memory.routing import MemoryRouting
from adapters.testing.doubles import SpyEventSink
from adapters.testing.scripted_provider import Act
from adapters.testing.virtual_time import VirtualClock, run_virtual
from application.errors import NoInstanceAvailable, StateUnavailable
from application.lease_keeper import LEASE_US, LeaseKeeper
from domain.catalog import Catalog, Instance, InstanceLimits, RouterPolicy
from domain.durations import SECOND_US
from domain.identifiers import LeaseId
from domain.latency import LatencyKind
from domain.resilience.circuit_breaker import CircuitBreakerConfig, CircuitState
from domain.routing.admission import AdmissionRequest
from domain.routing.strategy import Leaf
from tests.unit.dispatch.gateway import Gateway, member, models

ONE = member("gpt", "a", limits=InstanceLimits(max_parallel=1))
SLOW = Act(delay_us=5 * LEASE_US)


def run_renewing(gateway: Gateway, scenario: Coroutine[Any, Any, None]) -> None:
    async def both() -> None:
        keeping = asyncio.create_task(gateway.leases.run())
        try:
            await scenario
        finally:
            keeping.cancel()

    run_virtual(both())


def gateway_of(instance: Instance, **settings: Any) -> Gateway:
    return Gateway(Catalog(models(instance)), **settings)


def in_flight(gateway: Gateway) -> int:
    return gateway.routing.view(ONE, LatencyKind.WHOLE).in_flight


def test_an_attempt_keeps_its_slot_for_as_long_as_it_runs() -> None:
    async def scenario() -> None:
        gateway.upstream("a").otherwise = SLOW
        running = asyncio.create_task(gateway.complete("gpt"))
        await asyncio.sleep(4 * LEASE_US / SECOND_US)

        with pytest.raises(NoInstanceAvailable):
            await gateway.complete("gpt")

        await running
        assert in_flight(gateway) == 0

    gateway = gateway_of(ONE)
    run_renewing(gateway, scenario())


def test_without_its_keeper_a_slot_comes_back_when_the_lease_expires() -> None:
    async def scenario() -> None:
        gateway = gateway_of(ONE)
        gateway.upstream("a").otherwise = SLOW
        running = asyncio.create_task(gateway.complete("gpt"))
        await asyncio.sleep(LEASE_US / SECOND_US - 1)
        assert in_flight(gateway) == 1
        await asyncio.sleep(1)
        assert in_flight(gateway) == 0
        running.cancel()

    run_virtual(scenario())


def test_a_timeout_longer_than_a_lease_counts_against_the_circuit() -> None:
    async def scenario() -> None:
        gateway.upstream("a").otherwise = Act(hang=True)

        with pytest.raises(Exception, match="in time"):
            await gateway.complete("gpt")

        assert gateway.routing.view(ONE, LatencyKind.WHOLE).circuit is CircuitState.OPEN

    gateway = gateway_of(
        ONE,
        policy=RouterPolicy(default_timeout_us=3 * LEASE_US, instance_retry_attempts=0),
        breaker=CircuitBreakerConfig(consecutive_failures=1),
    )
    run_renewing(gateway, scenario())


def test_a_probe_longer_than_a_lease_stays_the_only_one_and_closes_the_circuit() -> None:
    async def scenario() -> None:
        gateway.upstream("a").script.append(Act(delay_us=10 * SECOND_US))
        with pytest.raises(Exception, match="in time"):
            await gateway.complete("gpt", timeout_us=SECOND_US)
        await asyncio.sleep(10)
        gateway.upstream("a").otherwise = SLOW
        probe = asyncio.create_task(gateway.complete("gpt"))
        await asyncio.sleep(3 * LEASE_US / SECOND_US)

        with pytest.raises(NoInstanceAvailable, match="probes_in_flight"):
            await gateway.complete("gpt")

        await probe
        assert gateway.routing.view(ONE, LatencyKind.WHOLE).circuit is CircuitState.CLOSED

    gateway = gateway_of(ONE, breaker=CircuitBreakerConfig(consecutive_failures=1, probes_to_close=1))
    run_renewing(gateway, scenario())


def test_what_has_ended_is_not_renewed() -> None:
    async def scenario() -> None:
        await gateway.complete("gpt")

        assert gateway.leases.held == 0
        await asyncio.sleep(2 * LEASE_US / SECOND_US)
        assert in_flight(gateway) == 0

    gateway = gateway_of(ONE)
    run_renewing(gateway, scenario())


def test_a_store_that_is_away_for_a_round_does_not_end_the_keeping() -> None:
    class Flaky(MemoryRouting):
        failures = 1

        async def renew(self, leases: Mapping[LeaseId, Instance], lease_us: int) -> None:
            if self.failures:
                self.failures -= 1
                raise StateUnavailable("away")
            await super().renew(leases, lease_us)

    async def scenario() -> int:
        clock = VirtualClock()
        routing = Flaky(CircuitBreakerConfig(), clock, SpyEventSink())
        keeper = LeaseKeeper(routing, clock)
        instance = member("gpt", "a")
        lease = LeaseId("r:1")
        await routing.admit(AdmissionRequest(lease, Leaf(instance), 0, LEASE_US))
        keeper.keep(lease, instance)
        running = asyncio.create_task(keeper.run())
        await clock.sleep(2 * LEASE_US)
        running.cancel()
        return routing.view(instance, LatencyKind.WHOLE).in_flight

    assert run_virtual(scenario()) == 1
