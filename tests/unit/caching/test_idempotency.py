"""Requests that carry an Idempotency-Key."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from adapters.testing.scripted_provider import Act, fails
from adapters.testing.virtual_time import run_virtual
from application.caching.idempotency import KEPT_US
from application.errors import GatewayError, IdempotencyInUse, IdempotencyMismatch, ModelNotAllowed, StateUnavailable
from domain.durations import SECOND_US
from domain.failure import FailureKind
from tests.unit.caching.fleet import CachingGateway, SharedReplies, content_of, drained, key_of

WARM: dict[str, Any] = {"messages": [{"role": "user", "content": "make something up"}]}
KEYED: dict[str, Any] = {"fields": WARM, "idempotency_key": "k-1"}


def fleet(size: int = 2) -> list[CachingGateway]:
    shared = SharedReplies()
    gateways = [CachingGateway(shared) for _ in range(size)]
    for number, gateway in enumerate(gateways):
        gateway.upstream().otherwise = Act(delay_us=SECOND_US, text=f"by {number}", chunk_delay_us=SECOND_US)
    return gateways


async def settle(gateway: CachingGateway) -> None:
    await gateway.idempotency.flights.settle()


def test_the_same_key_gets_the_same_reply_at_any_gateway() -> None:
    async def scenario() -> None:
        one, two = fleet()
        first = await one.complete(**KEYED)
        await settle(one)
        again = await two.complete(**KEYED)

        assert (content_of(first), again.reply.body) == ("by 0", first.reply.body)
        assert (again.trace.replayed, again.trace.cache, again.cost_nano, two.calls) == (True, None, 0, 0)
        assert again.reply.usage == first.reply.usage

    run_virtual(scenario())


def test_a_stream_is_replayed_chunk_by_chunk() -> None:
    async def scenario() -> None:
        one, two = fleet()
        first = await drained(await one.stream(stream_usage=True, **KEYED))
        await settle(one)
        again = await two.stream(stream_usage=True, **KEYED)

        assert await drained(again) == first
        assert again.trace.replayed
        assert two.calls == 0

    run_virtual(scenario())


def test_while_the_first_runs_the_second_is_refused() -> None:
    async def scenario() -> None:
        one, two = fleet()
        first = asyncio.create_task(one.complete(**KEYED))
        for gateway in (one, two):
            await one.clock.sleep(SECOND_US // 4)
            with pytest.raises(IdempotencyInUse):
                await gateway.complete(**KEYED)
        assert content_of(await first) == "by 0"
        assert (one.calls, two.calls) == (1, 0)

    run_virtual(scenario())


@pytest.mark.parametrize(
    "change",
    [
        {"fields": {"messages": [{"role": "user", "content": "make something else up"}]}},
        {"model": "other"},
        {"stream": True},
    ],
)
def test_the_same_key_for_another_request_is_refused(change: dict[str, Any]) -> None:
    async def scenario() -> None:
        one, two = fleet()
        await one.complete(**KEYED)
        await settle(one)
        asked = two.request(**{**KEYED, **change})
        with pytest.raises(IdempotencyMismatch):
            await (two.idempotency.stream(asked) if "stream" in change else two.idempotency.complete(asked))

    run_virtual(scenario())


def test_the_same_key_for_other_features_is_refused() -> None:
    async def scenario() -> None:
        one, two = fleet()
        await one.complete(**KEYED)
        await settle(one)
        asked = two.request(**KEYED)
        with pytest.raises(IdempotencyMismatch):
            await two.idempotency.complete(replace(asked, llm=replace(asked.llm, betas=("b-1",))))

    run_virtual(scenario())


def test_accounts_do_not_share_keys_and_none_gets_what_it_may_not_ask_for() -> None:
    async def scenario() -> None:
        one, two = fleet()
        await one.complete(**KEYED)
        await settle(one)
        assert content_of(await two.complete(caller=key_of("K", "S"), **KEYED)) == "by 1"
        with pytest.raises(ModelNotAllowed):
            await two.complete(caller=key_of("K", models=frozenset({"other"})), **KEYED)

    run_virtual(scenario())


def test_the_first_one_runs_to_its_end_without_its_client() -> None:
    async def scenario(streams: bool) -> None:
        one, two = fleet()
        ask = one.text if streams else one.complete
        first = asyncio.create_task(ask(**KEYED))
        await one.clock.sleep(SECOND_US // 2)
        first.cancel()
        await settle(one)

        if streams:
            assert json.loads((await drained(await two.stream(**KEYED)))[0].data)["choices"]
        else:
            assert content_of(await two.complete(**KEYED)) == "by 0"
        assert (one.calls, two.calls) == (1, 0)

    for streams in (True, False):
        run_virtual(scenario(streams))


def test_a_key_whose_request_failed_is_free_again() -> None:
    async def scenario() -> None:
        one, two = fleet()
        for name in ("a", "b", "w"):
            one.upstream(name).otherwise = fails(FailureKind.SERVER_ERROR, status=500)
        with pytest.raises(GatewayError):
            await one.complete(**KEYED)
        await settle(one)
        assert content_of(await two.complete(**KEYED)) == "by 1"

    run_virtual(scenario())


def test_a_key_is_remembered_for_a_day() -> None:
    async def scenario() -> None:
        one, two = fleet()
        await one.complete(**KEYED)
        await settle(one)
        await one.clock.sleep(KEPT_US - 2 * SECOND_US)
        assert (await two.complete(**KEYED)).trace.replayed
        await one.clock.sleep(2 * SECOND_US)
        assert not (await two.complete(**KEYED)).trace.replayed

    run_virtual(scenario())


def test_a_request_that_can_be_cached_is_both() -> None:
    async def scenario() -> None:
        one, two = fleet()
        first = await one.complete(idempotency_key="k-2")
        await settle(one)
        await one.here.settle()
        by_key, by_cache = await two.complete(idempotency_key="k-2"), await two.complete()

        assert (first.trace.cache, by_key.trace.replayed, by_cache.trace.cache) == ("miss", True, "hit")
        assert two.calls == 0

    run_virtual(scenario())


def test_a_store_that_is_away_lets_requests_run_and_says_so() -> None:
    async def scenario() -> None:
        shared = SharedReplies()
        gateway = CachingGateway(shared)

        async def away(*_: Any) -> Any:
            raise StateUnavailable("away")

        shared.cache.acquire_fill = away  # type: ignore[method-assign, assignment]
        assert (await gateway.complete(**KEYED)).trace.degraded == ("idempotency",)

    run_virtual(scenario())
