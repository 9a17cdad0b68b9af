"""What a store that is slow or away, and clients that leave, do to equal requests."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from adapters.testing.scripted_provider import Act
from adapters.testing.virtual_time import run_virtual
from application.caching.cache_keys import LARGEST_NAMED_BYTES
from application.caching.idempotency import IN_USE_US
from application.errors import (
    BudgetExceeded,
    CacheMiss,
    DeadlineExceeded,
    GatewayError,
    ModelNotFound,
    StateUnavailable,
)
from application.ports.provider import Call
from domain.caching import CacheControl
from domain.chat import Chunk, Reply, Usage
from domain.durations import SECOND_US
from domain.failure import Failure, FailureKind
from domain.limits.limit import Algorithm, Limit, LimitKind
from tests.unit.caching.fleet import QUESTION, CachingGateway, SharedReplies, content_of, drained, key_of

MS_US = 1_000
SLOW = Act(delay_us=SECOND_US, text="slow")
WARM = {**QUESTION, "temperature": 1}


def gateway_of(shared: SharedReplies, act: Act = SLOW) -> CachingGateway:
    gateway = CachingGateway(shared)
    for upstream in gateway.inner.upstreams.values():
        upstream.otherwise = act
    return gateway


def slowed(shared: SharedReplies, span_us: int, *, away: bool = False) -> list[int]:
    """Makes each question for a fill take so long; whether it is heard. Counts them."""
    asked: list[int] = []
    acquire = shared.cache.acquire_fill

    async def slowly(*words: Any) -> Any:
        asked.append(1)
        await asyncio.sleep(span_us / SECOND_US)
        if away:
            raise StateUnavailable("away")
        return await acquire(*words)

    shared.cache.acquire_fill = slowly  # type: ignore[method-assign, assignment]
    return asked


def test_a_stored_reply_serves_all_who_ask_at_once_by_one_question() -> None:
    async def scenario() -> None:
        shared = SharedReplies()
        gateway = gateway_of(shared)
        await gateway.complete()
        await gateway.here.settle()
        asked, began_us = slowed(shared, MS_US), gateway.clock.monotonic_us()
        answers = await asyncio.gather(*(gateway.complete() for _ in range(300)))

        assert len(asked) == 1
        assert gateway.clock.monotonic_us() - began_us == MS_US
        assert {each.trace.cache for each in answers} == {"hit"}
        assert all(each.trace.stored_us is not None for each in answers)

    run_virtual(scenario())


def test_many_who_are_refused_for_reasons_of_their_own_stop_waiting_for_each_other() -> None:
    async def scenario() -> None:
        gateway = gateway_of(SharedReplies())
        limits = 0

        async def refused(*_: Any) -> Any:
            nonlocal limits
            limits += 1
            raise BudgetExceeded("spent")

        object.__setattr__(gateway.here, "complete", refused)
        object.__setattr__(gateway.caching, "upstream_complete", refused)
        answers = await asyncio.gather(*(gateway.complete() for _ in range(200)), return_exceptions=True)

        assert all(isinstance(each, BudgetExceeded) for each in answers)
        assert limits == 200

    run_virtual(scenario())


def test_a_reply_that_can_not_be_replayed_costs_nobody_a_slot() -> None:
    async def scenario() -> None:
        gateway = gateway_of(SharedReplies())
        limits = (Limit("parallel", LimitKind.PARALLEL, 2, Algorithm.LEASES),)
        upstream = gateway.upstream()
        complete = upstream.complete

        async def odd(call: Call) -> Reply:
            reply = await complete(call)
            body = json.loads(reply.body)
            body["choices"][0]["message"]["content"] = [{"type": "text", "text": "x"}]
            return replace(reply, body=json.dumps(body).encode())

        upstream.complete = odd  # type: ignore[method-assign]
        leader = asyncio.create_task(gateway.complete(caller=key_of("K", limits=limits)))
        await gateway.clock.sleep(MS_US)
        follower = asyncio.create_task(gateway.text(caller=key_of("K", limits=limits)))
        await leader
        assert await follower != ""
        for _ in range(3):
            both = [gateway.complete(fields=WARM, caller=key_of("K", limits=limits)) for _ in range(2)]
            await asyncio.gather(*both)

    run_virtual(scenario())


def test_a_keyed_stream_too_long_to_be_kept_ends_without_its_client() -> None:
    async def scenario() -> None:
        gateway = gateway_of(SharedReplies(max_entry_bytes=100), Act(chunks=300, chunk_delay_us=MS_US, text="x" * 50))
        streaming = await gateway.stream(idempotency_key="k", fields=WARM)
        await anext(streaming.chunks)
        await gateway.clock.sleep(100 * MS_US)
        await streaming.chunks.aclose()
        await gateway.clock.sleep(SECOND_US)

        assert sum(upstream.running for upstream in gateway.inner.upstreams.values()) == 0
        await gateway.idempotency.flights.settle()

    run_virtual(scenario())


def test_only_if_cached_asks_no_provider_where_the_store_is_away() -> None:
    async def scenario() -> None:
        shared = SharedReplies()
        gateway = gateway_of(shared)

        async def away(*_: Any) -> Any:
            raise StateUnavailable("away")

        shared.cache.get = away  # type: ignore[method-assign, assignment]
        with pytest.raises(CacheMiss):
            await gateway.complete(cache=CacheControl.ONLY_IF_CACHED)
        assert gateway.calls == 0

    run_virtual(scenario())


def test_a_stream_is_judged_by_its_reply_and_not_by_its_framing() -> None:
    async def scenario() -> None:
        gateway = gateway_of(SharedReplies(max_entry_bytes=4_000), Act(chunks=100, text="word"))
        text = await gateway.text()
        await gateway.here.settle()

        assert len(text) < 1_000
        assert content_of(await gateway.complete()) == text

    run_virtual(scenario())


def test_one_who_wants_the_whole_of_a_long_stream_does_not_wait_for_a_slow_reader() -> None:
    async def scenario() -> None:
        gateway = gateway_of(SharedReplies(max_entry_bytes=500), Act(chunks=300, chunk_delay_us=MS_US, text="x" * 50))
        slow = await gateway.stream()
        whole = asyncio.create_task(gateway.complete(timeout_us=5 * SECOND_US))
        await gateway.clock.sleep(MS_US)
        assert content_of(await whole) == "x" * 50
        await slow.chunks.aclose()

    run_virtual(scenario())


def test_a_deadline_runs_on_from_one_leader_to_the_next() -> None:
    async def scenario() -> None:
        gateway = gateway_of(SharedReplies())
        ends_us: list[int] = []

        async def ask() -> None:
            began_us = gateway.clock.monotonic_us()
            with pytest.raises(DeadlineExceeded):
                await gateway.complete(timeout_us=900 * MS_US)
            ends_us.append(gateway.clock.monotonic_us() - began_us)

        asking = []
        for _ in range(8):
            asking.append(asyncio.create_task(ask()))
            await gateway.clock.sleep(10 * MS_US)
        await asyncio.gather(*asking)

        assert max(ends_us) <= 901 * MS_US

    run_virtual(scenario())


def test_names_that_anybody_makes_up_and_requests_too_large_to_be_named_are_not_kept() -> None:
    async def scenario() -> None:
        shared = SharedReplies()
        gateway = gateway_of(shared)
        for number in range(10):
            with pytest.raises(ModelNotFound):
                await gateway.complete(model=f"made-up-{number}", fields={})
        large = {**QUESTION, "user": "x" * LARGEST_NAMED_BYTES}
        assert (await gateway.complete(fields=large)).trace.cache == "bypass"
        await gateway.uses.flush()
        assert set((await shared.cache.stats()).by_model) == {"gpt"}

    run_virtual(scenario())


def test_a_keyed_success_is_kept_though_the_store_is_away_for_a_moment() -> None:
    async def scenario() -> None:
        shared = SharedReplies()
        gateway = gateway_of(shared, Act(chunks=3))
        put, failures = shared.cache.put, [1, 1]

        async def moody(*words: Any, **named: Any) -> Any:
            if failures:
                failures.pop()
                raise StateUnavailable("away")
            return await put(*words, **named)

        async def away(*_: Any, **__: Any) -> Any:
            raise StateUnavailable("away")

        shared.cache.put, shared.flights.tell = moody, away  # type: ignore[method-assign]
        await gateway.text(idempotency_key="k", fields=WARM)
        await gateway.idempotency.flights.settle()

        assert (await gateway.stream(idempotency_key="k", fields=WARM)).trace.replayed

    run_virtual(scenario())


def test_a_key_stays_in_use_while_the_store_is_silent_for_longer_than_others_wait() -> None:
    async def scenario() -> None:
        shared = SharedReplies()
        one, two = gateway_of(shared, Act(delay_us=IN_USE_US - 2 * SECOND_US)), gateway_of(shared)

        async def away(*_: Any, **__: Any) -> Any:
            raise StateUnavailable("away")

        running = asyncio.create_task(one.complete(idempotency_key="k", fields=WARM))
        await one.clock.sleep(MS_US)
        shared.flights.tell = away  # type: ignore[method-assign]
        await one.clock.sleep(10 * SECOND_US)
        with pytest.raises(GatewayError, match="still running"):
            await two.complete(idempotency_key="k", fields=WARM)
        await running

    run_virtual(scenario())


def test_a_refusal_of_streaming_is_not_told_to_who_wants_the_whole() -> None:
    async def scenario() -> None:
        gateway = gateway_of(SharedReplies(), Act(text="whole"))
        failure = Failure(FailureKind.REQUEST_REFUSED, "must be verified to stream", status=400)
        gateway.upstream().script.append(Act(delay_us=SECOND_US, failure=failure, chunks=0))
        leader = asyncio.create_task(gateway.text())
        await gateway.clock.sleep(MS_US)
        whole = asyncio.create_task(gateway.complete())
        with pytest.raises(GatewayError):
            await leader
        assert content_of(await whole) == "whole"

    run_virtual(scenario())


def test_a_silent_store_is_waited_for_once_by_all() -> None:
    async def scenario() -> None:
        shared = SharedReplies()
        gateway = gateway_of(shared, Act())
        slowed(shared, 250 * MS_US, away=True)
        answers = await asyncio.gather(*(gateway.complete() for _ in range(20)))

        assert gateway.clock.monotonic_us() <= 260 * MS_US
        assert {each.trace.degraded for each in answers} == {("cache",)}

    run_virtual(scenario())


def test_a_client_that_leaves_as_the_reply_lands_does_not_keep_it_from_being_stored() -> None:
    async def scenario(early_us: int) -> None:
        shared = SharedReplies()
        gateway = gateway_of(shared)
        tell = shared.flights.tell

        async def slowly(*words: Any, **named: Any) -> Any:
            await asyncio.sleep(0.02)
            return await tell(*words, **named)

        put = shared.cache.put

        async def slowly_put(*words: Any, **named: Any) -> Any:
            await asyncio.sleep(0.05)
            return await put(*words, **named)

        shared.flights.tell, shared.cache.put = slowly, slowly_put  # type: ignore[method-assign]
        asking = asyncio.create_task(gateway.complete())
        await gateway.clock.sleep(SECOND_US - early_us)
        asking.cancel()
        await gateway.here.settle()
        assert (await gateway.complete()).trace.cache == "hit"

    for early_us in (5 * MS_US, 10 * MS_US, 19 * MS_US):
        run_virtual(scenario(early_us))


def test_a_client_that_leaves_while_the_fill_is_asked_for_leaves_none_behind() -> None:
    async def scenario(keyed: bool) -> None:
        shared = SharedReplies()
        gateway = gateway_of(shared, Act())
        slowed(shared, 10 * MS_US)
        asked: dict[str, Any] = {"idempotency_key": "k", "fields": WARM} if keyed else {}
        asking = asyncio.create_task(gateway.complete(**asked))
        await gateway.clock.sleep(5 * MS_US)
        asking.cancel()
        await gateway.clock.sleep(10 * MS_US)
        began_us = gateway.clock.monotonic_us()
        await gateway.complete(**asked)

        assert gateway.clock.monotonic_us() - began_us <= 20 * MS_US

    for keyed in (True, False):
        run_virtual(scenario(keyed))


def test_a_chunk_with_usage_beside_its_choices_is_shown_to_everybody() -> None:
    async def scenario(asks: bool) -> None:
        gateway = gateway_of(SharedReplies(), Act(delay_us=SECOND_US))
        upstream = gateway.upstream()
        stream = upstream.stream

        async def chatty(call: Call) -> Any:
            chunks = await stream(call)
            following = chunks.__anext__

            async def first() -> tuple[Chunk, ...]:
                chunks.__class__ = type("Rest", (chunks.__class__,), {"__anext__": lambda _: following()})
                said = {"choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}], "id": "c-1"}
                head = json.dumps({**said, "object": "chat.completion.chunk", "created": 1, "model": "gpt"}).encode()
                return (Chunk(head, content=False, usage=Usage(1, 1)),)

            chunks.__class__ = type("Chatty", (chunks.__class__,), {"__anext__": lambda _: first()})
            return chunks

        upstream.stream = chatty  # type: ignore[method-assign]
        leader = asyncio.create_task(_chunks(gateway, asks=False))
        await gateway.clock.sleep(MS_US)
        heads = [(await _chunks(gateway, asks=asks))[0], (await leader)[0]]
        assert [chunk.visible for chunk in heads] == [True, True]

    for asks in (True, False):
        run_virtual(scenario(asks))


async def _chunks(gateway: CachingGateway, *, asks: bool) -> list[Chunk]:
    return await drained(await gateway.stream(stream_usage=asks))


def test_a_key_that_is_half_a_character_makes_a_request_pass_by() -> None:
    async def scenario() -> None:
        gateway = gateway_of(SharedReplies())
        fields = {**QUESTION, "metadata": {"\ud800": "x"}}
        assert (await gateway.complete(fields=fields)).trace.cache == "bypass"
        assert (await gateway.complete(fields={**QUESTION, "metadata": {"x": "\ud800"}})).trace.cache == "bypass"

    run_virtual(scenario())
