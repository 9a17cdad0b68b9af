"""Equal requests that come at once, in one gateway and in several."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from adapters.testing.scripted_provider import Act, fails
from adapters.testing.virtual_time import run_virtual
from application.caching.hold import HOLD_US, Hold
from application.errors import DeadlineExceeded, GatewayError, StateUnavailable, StreamBroken, UpstreamRefused
from application.ports.flights import Flights
from domain.durations import SECOND_US
from domain.failure import Failure, FailureKind
from domain.limits.limit import Algorithm
from domain.limits.rate_policy import RatePolicy
from domain.response_cache import Fill
from tests.unit.caching.fleet import CachingGateway, SharedReplies, content_of, drained, key_of, said

SLOW = Act(delay_us=SECOND_US, text="slow")
SLOW_STREAM = Act(delay_us=SECOND_US, chunks=10, chunk_delay_us=SECOND_US // 2, text="s")
WHOLE_STREAM = "".join(f"s-{number}" for number in range(10))


def fleet(size: int = 4, act: Act = SLOW) -> list[CachingGateway]:
    shared = SharedReplies()
    gateways = [CachingGateway(shared) for _ in range(size)]
    for gateway in gateways:
        for upstream in gateway.inner.upstreams.values():
            upstream.otherwise = act
    return gateways


def calls(gateways: list[CachingGateway]) -> int:
    return sum(gateway.calls for gateway in gateways)


def running(gateways: list[CachingGateway]) -> int:
    return sum(upstream.running for gateway in gateways for upstream in gateway.inner.upstreams.values())


async def asked_at_once(gateways: list[CachingGateway], count: int, ask: Callable[..., Awaitable[Any]]) -> list[Any]:
    return await asyncio.gather(*(ask(gateways[number % len(gateways)]) for number in range(count)))


async def leave_behind(gateways: list[CachingGateway]) -> None:
    for gateway in gateways:
        await gateway.here.settle()


def cut_off(gateway: CachingGateway) -> None:
    """What it does reaches nobody any more: as a process that was killed."""

    async def away(*_: Any, **__: Any) -> Any:
        raise StateUnavailable("away")

    lonely = SharedReplies()
    lonely.flights.tell = lonely.cache.put = lonely.cache.abandon_fill = away  # type: ignore[method-assign]
    gateway.here.flights = lonely.flights
    for held in HOLDS:
        if held._flights is not lonely.flights and held._cache is not None:
            held._flights, held._cache = lonely.flights, lonely.cache


HOLDS: list[Hold] = []


@pytest.fixture(autouse=True)
def _holds(monkeypatch: pytest.MonkeyPatch) -> None:
    HOLDS.clear()
    begin = Hold.__init__

    def noted(self: Hold, cache: Any, flights: Flights, clock: Any, fill: Fill, flight: Any, hold_us: int) -> None:
        begin(self, cache, flights, clock, fill, flight, hold_us)
        HOLDS.append(self)

    monkeypatch.setattr(Hold, "__init__", noted)


def test_a_hundred_equal_misses_over_four_gateways_make_one_call() -> None:
    async def scenario() -> None:
        gateways = fleet()
        answers = await asked_at_once(gateways, 100, lambda gateway: gateway.complete())

        assert {content_of(each) for each in answers} == {"slow"}
        assert calls(gateways) == 1
        assert sorted(str(each.trace.cache) for each in answers) == ["hit"] * 99 + ["miss"]
        assert await asyncio.sleep(0, gateways[0].clock.monotonic_us()) < 1.3 * SECOND_US

    run_virtual(scenario())


def test_a_hundred_equal_streams_over_four_gateways_make_one_call_and_flow_at_once() -> None:
    async def scenario() -> None:
        gateways = fleet(act=SLOW_STREAM)

        async def first_and_all(gateway: CachingGateway) -> tuple[int, str]:
            streaming = await gateway.stream()
            first = await anext(streaming.chunks)
            first_us = gateway.clock.monotonic_us()
            return first_us, said([*first, *await drained(streaming)])

        answers = await asked_at_once(gateways, 100, first_and_all)

        assert {text for _, text in answers} == {WHOLE_STREAM}
        assert calls(gateways) == 1
        # Live: long before the 5.5 s that all of it takes. Followers elsewhere are noticed at the next beat.
        assert max(first_us for first_us, _ in answers) <= 1.7 * SECOND_US
        await leave_behind(gateways)
        assert running(gateways) == 0

    run_virtual(scenario())


def test_streams_and_whole_replies_come_along_with_each_other() -> None:
    async def scenario(act: Act, leads: bool) -> None:
        gateways = fleet(3, act)
        leader = asyncio.create_task(gateways[0].text() if leads else gateways[0].complete())
        await gateways[0].clock.sleep(1_000)
        texts = await asyncio.gather(*(gateway.text() for gateway in gateways))
        wholes = await asyncio.gather(*(gateway.complete() for gateway in gateways))
        assert len({*texts, *map(content_of, wholes)}) == 1
        await leader
        assert calls(gateways) == 1

    for leads in (True, False):
        run_virtual(scenario(SLOW_STREAM, leads))


def test_whoever_leads_may_leave_and_all_others_are_served() -> None:
    async def scenario(streams: bool) -> None:
        gateways = fleet(2, SLOW_STREAM)

        async def ask(gateway: CachingGateway) -> str:
            return await gateway.text() if streams else content_of(await gateway.complete())

        leader = asyncio.create_task(ask(gateways[0]))
        await gateways[0].clock.sleep(1_000)
        others = [asyncio.create_task(ask(gateway)) for gateway in gateways]
        await gateways[0].clock.sleep(SECOND_US // 2)
        leader.cancel()

        texts = {await other for other in others}

        assert len(texts) == 1
        assert "" not in texts
        assert calls(gateways) == 1
        (first, *_) = gateways[0].inner.records()
        assert (first.attempt, first.outcome.value) == (1, "success")

    for streams in (True, False):
        run_virtual(scenario(streams))


def test_the_last_one_who_leaves_ends_the_call() -> None:
    async def scenario(size: int) -> None:
        gateways = fleet(size, SLOW_STREAM)
        asking = [asyncio.create_task(gateway.text()) for gateway in gateways]
        await gateways[0].clock.sleep(3 * SECOND_US)
        for task in asking:
            task.cancel()
        await gateways[0].clock.sleep(SECOND_US)
        soon = running(gateways)
        await gateways[0].clock.sleep(10 * SECOND_US)

        assert (soon if size == 1 else 0, running(gateways), calls(gateways)) == (0, 0, 1)
        assert all(not gateway.here._by_place for gateway in gateways)
        # Who asked from elsewhere is waited for a little longer: by then, it has come.
        assert (await gateways[0].complete()).trace.cache == ("miss" if size == 1 else "hit")

    run_virtual(scenario(1))
    run_virtual(scenario(3))


def test_a_leader_that_dies_before_its_first_content_is_followed_by_one_other() -> None:
    async def scenario(streams: bool) -> None:
        gateways = fleet(4, SLOW_STREAM)
        gateways[0].upstream().otherwise = Act(hang=True)

        async def ask(gateway: CachingGateway) -> str:
            return await gateway.text() if streams else content_of(await gateway.complete())

        doomed = asyncio.create_task(ask(gateways[0]))
        await gateways[0].clock.sleep(SECOND_US)
        asking = [asyncio.create_task(ask(gateways[1 + number % 3])) for number in range(30)]
        await gateways[0].clock.sleep(SECOND_US // 10)
        cut_off(gateways[0])

        answers = await asyncio.gather(*asking)

        assert len(set(answers)) == 1
        assert calls(gateways[1:]) == 1
        assert gateways[0].clock.monotonic_us() <= SECOND_US + HOLD_US + (8 if streams else 3) * SECOND_US
        doomed.cancel()

    for streams in (True, False):
        run_virtual(scenario(streams))


def test_a_leader_that_dies_in_mid_stream_breaks_the_streams_that_have_content_and_no_other_is_spliced_in() -> None:
    async def scenario() -> None:
        gateways = fleet(3, SLOW_STREAM)
        doomed = asyncio.create_task(gateways[0].text())
        await gateways[0].clock.sleep(1_000)

        async def to_the_end(gateway: CachingGateway) -> list[str]:
            streaming, heard = await gateway.stream(), []
            try:
                async for batch in streaming.chunks:
                    heard += [json.loads(chunk.data)["choices"][0]["delta"]["content"] for chunk in batch]
            except StreamBroken as broken:
                heard.append(type(broken).__name__)
            return heard

        asking = [asyncio.create_task(to_the_end(gateway)) for gateway in gateways[1:]]
        await gateways[0].clock.sleep(3 * SECOND_US)
        cut_off(gateways[0])

        for heard in await asyncio.gather(*asking):
            assert heard[:-1] == [f"s-{number}" for number in range(len(heard) - 1)]
            assert heard[-1] == "StreamBroken"
        assert calls(gateways) == 1
        outcomes = [record.outcome.value for gateway in gateways[1:] for record in gateway.inner.records()]
        assert outcomes == ["cut", "cut"]
        doomed.cancel()

    run_virtual(scenario())


def test_a_stream_that_breaks_upstream_is_whole_to_nobody_at_any_gateway() -> None:
    async def scenario() -> None:
        failure = Failure(FailureKind.SERVER_ERROR, "cut", ambiguous=True)
        gateways = fleet(3, Act(delay_us=SECOND_US, chunks=8, chunk_delay_us=SECOND_US // 2, failure=failure, text="s"))

        async def ends(gateway: CachingGateway) -> str:
            streaming = await gateway.stream()
            try:
                await drained(streaming)
            except StreamBroken:
                return "broken"
            return "whole"

        assert await asked_at_once(gateways, 9, ends) == ["broken"] * 9
        assert calls(gateways) == 1

    run_virtual(scenario())


def test_what_the_provider_says_about_the_request_is_told_to_all_who_asked_here() -> None:
    async def scenario() -> None:
        (gateway,) = fleet(1)
        failure = Failure(FailureKind.REQUEST_REFUSED, "no such thing", status=400)
        gateway.upstream().otherwise = Act(delay_us=SECOND_US, failure=failure, chunks=0)
        answers = await asyncio.gather(*(gateway.complete() for _ in range(10)), return_exceptions=True)

        assert all(isinstance(each, UpstreamRefused) for each in answers)
        assert gateway.calls == 1
        assert len({id(each) for each in answers}) == 10
        assert sorted(len(trace.attempts) for trace in gateway.observer.traces) == [0] * 9

    run_virtual(scenario())


def test_what_concerns_the_leader_alone_keeps_nobody_else_from_being_served() -> None:
    async def scenario() -> None:
        (gateway,) = fleet(1)
        leader = asyncio.create_task(gateway.complete(timeout_us=SECOND_US // 2))
        await gateway.clock.sleep(1_000)
        others = [asyncio.create_task(gateway.complete()) for _ in range(5)]

        with pytest.raises(DeadlineExceeded):
            await leader
        assert {content_of(await other) for other in others} == {"slow"}
        assert gateway.calls == 2

    run_virtual(scenario())


def test_one_who_comes_along_has_a_deadline_of_its_own() -> None:
    async def scenario() -> None:
        (gateway,) = fleet(1)
        leader = asyncio.create_task(gateway.complete())
        await gateway.clock.sleep(1_000)
        with pytest.raises(DeadlineExceeded):
            await gateway.complete(timeout_us=SECOND_US // 10)
        assert gateway.clock.monotonic_us() < SECOND_US // 5
        assert content_of(await leader) == "slow"

    run_virtual(scenario())


def test_one_who_comes_along_is_limited_and_counted_once() -> None:
    async def scenario() -> None:
        gateway = CachingGateway(SharedReplies(), rates=RatePolicy(Algorithm.SLIDING_WINDOW, 3, {}))
        gateway.upstream().otherwise = SLOW
        answers = await asyncio.gather(*(gateway.complete() for _ in range(5)), return_exceptions=True)

        assert sum(isinstance(each, GatewayError) for each in answers) == 2
        assert gateway.calls == 1
        assert [record.attempt for record in gateway.inner.records()].count(0) == 2

    run_virtual(scenario())


def test_one_who_leads_after_all_is_charged_once() -> None:
    async def scenario() -> None:
        gateway = CachingGateway(SharedReplies(), rates=RatePolicy(Algorithm.SLIDING_WINDOW, 2, {}))
        gateway.upstream().otherwise = SLOW
        leader = asyncio.create_task(gateway.complete(timeout_us=SECOND_US // 2))
        await gateway.clock.sleep(1_000)
        follower = asyncio.create_task(gateway.complete())
        with pytest.raises(DeadlineExceeded):
            await leader
        assert content_of(await follower) == "slow"

    run_virtual(scenario())


def test_tenants_do_not_meet_in_the_air() -> None:
    async def scenario() -> None:
        gateways = fleet(2)
        answers = await asyncio.gather(
            *(gateways[number % 2].complete(caller=key_of("K", f"team-{number % 5}")) for number in range(20))
        )
        assert calls(gateways) == 5
        assert sorted(str(each.trace.cache) for each in answers).count("miss") == 5

    run_virtual(scenario())


def test_a_stream_too_long_to_be_kept_flows_on_for_those_who_read_it() -> None:
    async def scenario() -> None:
        shared = SharedReplies(max_entry_bytes=1_000)
        gateway = CachingGateway(shared)
        act = Act(chunks=300, chunk_delay_us=10_000, text="x" * 50)
        for name in ("a", "b"):
            gateway.upstream(name).otherwise = act
        first = asyncio.create_task(gateway.text())
        await gateway.clock.sleep(5_000)
        second = asyncio.create_task(gateway.text())
        await gateway.clock.sleep(SECOND_US)
        third = asyncio.create_task(gateway.text())

        assert len({await first, await second, await third}) == 1
        assert gateway.calls == 2
        await gateway.here.settle()
        assert (await shared.cache.stats()).entries == 0

    run_virtual(scenario())


def test_a_leader_that_fails_lets_the_next_one_try_at_once() -> None:
    async def scenario() -> None:
        gateways = fleet(2)
        for name in ("a", "b", "w"):
            gateways[0].upstream(name).otherwise = fails(FailureKind.SERVER_ERROR, status=500, delay_us=SECOND_US // 10)
        leader = asyncio.create_task(gateways[0].complete())
        await gateways[0].clock.sleep(1_000)
        follower = asyncio.create_task(gateways[1].complete())
        with pytest.raises(GatewayError):
            await leader
        failed_us = gateways[0].clock.monotonic_us()
        assert content_of(await follower) == "slow"
        assert gateways[0].clock.monotonic_us() - failed_us <= 1.2 * SECOND_US

    run_virtual(scenario())
