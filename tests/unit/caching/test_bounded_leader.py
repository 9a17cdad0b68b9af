"""A budget makes the gateway set a maximum of output: what that cuts concerns nobody else."""

import asyncio
from typing import Any

import pytest

from adapters.testing.scripted_provider import Act
from adapters.testing.virtual_time import run_virtual
from application.ports.provider import Call
from domain.budget.terms import BudgetOwner, BudgetTerms, OwnerKind
from domain.callers import Caller
from domain.durations import SECOND_US
from domain.response_cache import Fill
from tests.unit.caching.fleet import (
    QUESTION,
    CachingGateway,
    SharedReplies,
    calls_of,
    content_of,
    cut,
    fleet_of,
    key_of,
)

ACT = Act(delay_us=SECOND_US, chunks=2, chunk_delay_us=SECOND_US, text="all")
WHOLE_STREAM = "all-0all-1"


def limited(name: str = "poor") -> Caller:
    return key_of(name, budgets=(BudgetTerms(BudgetOwner(OwnerKind.KEY, name), 10**12),))


def is_limited(call: Call) -> bool:
    return call.max_output_tokens is not None


async def said_by(gateway: CachingGateway, caller: Caller, *, stream: bool, **changes: Any) -> str:
    if stream:
        return await gateway.text(caller=caller, **changes)
    return content_of(await gateway.complete(caller=caller, **changes))


@pytest.mark.parametrize("leads", [True, False])
@pytest.mark.parametrize("follows", [True, False])
@pytest.mark.parametrize("size", [1, 3])
def test_a_leaders_budget_does_not_cut_what_others_get(*, leads: bool, follows: bool, size: int) -> None:
    async def scenario() -> None:
        gateways = fleet_of(size, ACT)
        cut(gateways, is_limited)
        leader = asyncio.create_task(said_by(gateways[0], limited(), stream=leads))
        await gateways[0].clock.sleep(1_000)
        asking = [said_by(gateways[number % size], key_of("free"), stream=follows) for number in range(60)]
        texts = set(await asyncio.gather(*asking))

        assert len(texts) == 1
        assert texts <= {"all", WHOLE_STREAM}
        assert "cut" in await leader
        assert calls_of(gateways) == 2

    run_virtual(scenario())


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("size", [1, 3])
def test_who_could_not_use_a_cut_reply_is_not_told_it_again_while_its_fill_is_given_back(
    *, stream: bool, size: int
) -> None:
    async def scenario() -> None:
        shared = SharedReplies()
        gateways = fleet_of(size, ACT, shared)
        cut(gateways, is_limited)
        abandon = shared.cache.abandon_fill

        async def slowly(fill: Fill) -> bool:
            await asyncio.sleep(0.01)
            return await abandon(fill)

        shared.cache.abandon_fill = slowly  # type: ignore[method-assign]
        leader = asyncio.create_task(said_by(gateways[0], limited(), stream=stream))
        await gateways[0].clock.sleep(1_000)
        asking = [said_by(gateways[number % size], key_of("free"), stream=stream) for number in range(60)]
        assert len(set(await asyncio.gather(*asking))) == 1
        await leader
        assert calls_of(gateways) == 2

    run_virtual(scenario())


@pytest.mark.parametrize("leads", [True, False])
@pytest.mark.parametrize("follows", [True, False])
@pytest.mark.parametrize("size", [1, 3])
def test_what_a_leaders_budget_did_not_cut_is_everybodys(*, leads: bool, follows: bool, size: int) -> None:
    async def scenario() -> None:
        gateways = fleet_of(size, ACT)
        leader = asyncio.create_task(said_by(gateways[0], limited(), stream=leads))
        await gateways[0].clock.sleep(1_000)
        asking = [said_by(gateways[number % size], key_of("free"), stream=follows) for number in range(60)]
        texts = {await leader, *await asyncio.gather(*asking)}

        assert len(texts) == 1
        for gateway in gateways:
            await gateway.here.settle()
        assert await said_by(gateways[-1], key_of("free"), stream=False) in texts
        assert calls_of(gateways) == 1

    run_virtual(scenario())


@pytest.mark.parametrize("size", [1, 2])
def test_who_is_limited_too_comes_along_live(size: int) -> None:
    async def scenario() -> None:
        gateways = fleet_of(size, ACT)
        cut(gateways, is_limited)
        leader = asyncio.create_task(gateways[0].text(caller=limited()))
        await gateways[0].clock.sleep(1_000)
        streaming = await gateways[-1].stream(caller=limited("as poor"))
        assert gateways[0].clock.monotonic_us() < 2 * SECOND_US
        await streaming.chunks.aclose()
        await leader
        assert calls_of(gateways) == 1

    run_virtual(scenario())


@pytest.mark.parametrize("own", [{"max_tokens": 7}, {}])
def test_a_maximum_that_the_client_set_is_part_of_what_is_asked(own: dict[str, Any]) -> None:
    async def scenario() -> None:
        gateways = fleet_of(1, ACT)
        leader = asyncio.create_task(said_by(gateways[0], limited(), stream=True, fields={**QUESTION, "max_tokens": 7}))
        await gateways[0].clock.sleep(1_000)
        streaming = await gateways[0].stream(caller=key_of("free"), fields={**QUESTION, **own})
        assert gateways[0].calls == (1 if own else 2)
        assert gateways[0].clock.monotonic_us() < 2 * SECOND_US
        await streaming.chunks.aclose()
        await leader

    run_virtual(scenario())
