"""After a loss, hard budgets wait for the gateways that were there before it."""

import asyncio
from collections.abc import Mapping

import pytest

from adapters.testing.virtual_time import VirtualClock, run_virtual
from application.errors import StateUnavailable
from application.ports.budget_roll import ROLL_KEPT_US
from application.spending.roll_call import RollCall
from application.spending.verification import GRACE_US, PATIENCE_US
from domain.budget.epoch import Said
from domain.durations import SECOND_US
from tests.unit.billing.tenant import TEAM, gateway, tenant
from tests.unit.dispatch.gateway import Gateway


class OtherGateway:
    """Answers what it is told to, and nothing once it is silent."""

    def __init__(self) -> None:
        self.epoch = 1
        self.is_silent = False

    async def answer(self, epoch: int) -> Mapping[str, Said]:
        own = {"own": Said(epoch, 0)}
        return own if self.is_silent else {**own, "other": Said(self.epoch, 0)}


async def _waits_us(one: Gateway) -> int:
    began_us = one.clock.monotonic_us()
    await one.complete("gpt", caller=tenant(TEAM))
    return one.clock.monotonic_us() - began_us


async def _lose(one: Gateway, other: OtherGateway) -> "asyncio.Task[None]":
    """Both have served for a while; the store loses everything, and the other gateway says no more."""
    watching = asyncio.create_task(one.spends.run())
    await one.clock.sleep(SECOND_US)
    one.lose_budgets()
    other.is_silent = True
    return watching


def test_a_budget_admits_nobody_before_a_busy_gateway_has_brought_back_what_it_had() -> None:
    async def scenario() -> None:
        other = OtherGateway()
        one = gateway(roll=other)
        watching = await _lose(one, other)
        waiting = asyncio.create_task(_waits_us(one))
        await one.clock.sleep(2 * SECOND_US)
        other.epoch, other.is_silent = 2, False

        assert 2 * SECOND_US <= await waiting <= 2 * SECOND_US + SECOND_US // 5
        watching.cancel()

    run_virtual(scenario())


def test_a_gateway_that_is_gone_is_waited_for_until_patience_ends() -> None:
    async def scenario() -> None:
        other = OtherGateway()
        one = gateway(roll=other)
        watching = await _lose(one, other)

        assert PATIENCE_US <= await _waits_us(one) <= PATIENCE_US + SECOND_US // 5
        watching.cancel()

    run_virtual(scenario())


def test_one_that_was_silent_for_long_before_is_not_waited_for() -> None:
    async def scenario() -> None:
        other = OtherGateway()
        one = gateway(roll=other)
        watching = asyncio.create_task(one.spends.run())
        await one.clock.sleep(SECOND_US)
        other.is_silent = True
        await one.clock.sleep(ROLL_KEPT_US)
        one.lose_budgets()

        assert await _waits_us(one) <= GRACE_US + SECOND_US // 5
        watching.cancel()

    run_virtual(scenario())


def test_a_roll_that_cannot_be_called_says_so() -> None:
    class Away:
        async def answer(self, epoch: int) -> Mapping[str, Said]:
            raise StateUnavailable(f"away at {epoch}")

    async def scenario() -> None:
        call = RollCall(Away(), VirtualClock())
        with pytest.raises(StateUnavailable):
            await call.answer(2)
        assert not call.awaits(9)

    run_virtual(scenario())
