"""Requests that stored replies answer, and those that they don't."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.outbound.memory.catalog_source import MemoryCatalogSource
from adapters.testing.scripted_provider import Act, fails
from adapters.testing.virtual_time import run_virtual
from application.errors import (
    CacheMiss,
    ModelNotAllowed,
    ModelNotFound,
    RateLimited,
    StateUnavailable,
    UpstreamError,
    UpstreamFailed,
)
from domain.caching import CacheControl, CachePolicy, CacheScope
from domain.chat import Endpoint
from domain.durations import SECOND_US
from domain.failure import FailureKind
from domain.identifiers import ModelName
from domain.limits.limit import Algorithm
from domain.limits.rate_policy import RatePolicy
from domain.usage_record import UsageOutcome, UsageRecord
from tests.unit.caching.fleet import QUESTION, CachingGateway, SharedReplies, content_of, drained, key_of, said

GPT = ModelName("gpt")


def one(**changes: Any) -> CachingGateway:
    return CachingGateway(SharedReplies(), **changes)


def test_audit_5_1_the_second_of_two_equal_requests_is_answered_from_the_cache() -> None:
    async def scenario() -> None:
        gateway = one()
        first = await gateway.complete()
        await gateway.here.settle()
        await gateway.clock.sleep(5 * SECOND_US)

        second = await gateway.complete()

        assert second.reply == first.reply
        assert gateway.calls == 1
        assert (first.trace.cache, second.trace.cache, second.instance, second.cost_nano) == ("miss", "hit", None, 0)
        assert second.trace.stored_us is not None
        assert second.trace.started_us - second.trace.stored_us == 5 * SECOND_US

    run_virtual(scenario())


def test_audit_5_1_streams_are_cached_and_share_their_entry_with_whole_replies() -> None:
    async def scenario(first_streams: bool, second_streams: bool) -> None:
        gateway = one()
        texts = []
        for streams in (first_streams, second_streams):
            texts.append(await gateway.text() if streams else content_of(await gateway.complete()))
            await gateway.here.settle()

        assert texts[0] == texts[1] != ""
        assert gateway.calls == 1

    for first_streams in (True, False):
        for second_streams in (True, False):
            run_virtual(scenario(first_streams, second_streams))


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": QUESTION["messages"]},
        {**QUESTION, "temperature": None},
        {**QUESTION, "temperature": 0.1},
        {**QUESTION, "temperature": False},
        {**QUESTION, "temperature": "0"},
        {**QUESTION, "n": 2},
    ],
)
def test_a_request_that_may_be_answered_differently_each_time_passes_the_cache_by(fields: dict[str, Any]) -> None:
    async def scenario() -> None:
        gateway = one()
        for _ in range(2):
            assert (await gateway.complete(fields=fields)).trace.cache == "bypass"

        assert gateway.calls == 2

    run_virtual(scenario())


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_reply_that_lacks_a_choice_is_not_stored(lost: int, *, stream: bool) -> None:
    async def scenario() -> None:
        gateway = one()
        for upstream in gateway.inner.upstreams.values():
            upstream.lost = lost  # type: ignore[attr-defined]
        for _ in range(2):
            asked = {**QUESTION, "n": 3, "seed": 7}
            if stream:
                await gateway.text(fields=asked)
            else:
                await gateway.complete(fields=asked)
            await gateway.here.settle()
        assert gateway.calls == (2 if lost else 1)

    run_virtual(scenario())


def test_two_choices_with_a_seed_and_embeddings_are_cached() -> None:
    async def scenario() -> None:
        gateway = one()
        for expected in ("miss", "hit"):
            assert (await gateway.complete(fields={**QUESTION, "n": 2, "seed": 1})).trace.cache == expected
            await gateway.here.settle()
        assert (await gateway.complete(fields={"input": "moon"}, endpoint=Endpoint.EMBEDDINGS)).trace.cache == "miss"

    run_virtual(scenario())


CHANGES: dict[str, dict[str, Any]] = {
    "another question": {"fields": {**QUESTION, "messages": [{"role": "user", "content": "how far is the sun?"}]}},
    "another role": {"fields": {**QUESTION, "messages": [{"role": "system", "content": "how far is the moon?"}]}},
    "tools": {"fields": {**QUESTION, "tools": [{"type": "function", "function": {"name": "f"}}]}},
    "a format": {"fields": {**QUESTION, "response_format": {"type": "json_object"}}},
    "a seed": {"fields": {**QUESTION, "seed": 7}},
    "a bias": {"fields": {**QUESTION, "logit_bias": {"50256": -100}}},
    "a stop": {"fields": {**QUESTION, "stop": ["."]}},
    "a maximum": {"fields": {**QUESTION, "max_tokens": 5}},
    "top_p": {"fields": {**QUESTION, "top_p": 0.5}},
    "a field nobody knows": {"fields": {**QUESTION, "x_guardrail": 2}},
    "null for absent": {"fields": {**QUESTION, "stop": None}},
    "another model": {"model": "other"},
    "an alias, which stands in the reply": {"model": "alias"},
    "another team": {"caller": key_of("K", "S")},
    "another route of the caller": {"caller": key_of("K", routes={"gpt": "other"})},
    "another endpoint": {"endpoint": Endpoint.COMPLETIONS},
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_one_thing_that_differs_makes_it_another_request(change: str) -> None:
    async def scenario() -> None:
        gateway = one()
        await gateway.complete()
        await gateway.here.settle()

        assert (await gateway.complete(**CHANGES[change])).trace.cache == "miss"

    run_virtual(scenario())


@pytest.mark.parametrize(
    "fields",
    [
        dict(reversed(list(QUESTION.items()))),
        {**QUESTION, "temperature": 0.0},
        {**QUESTION, "temperature": -0.0},
        {**QUESTION, "user": "somebody"},
        {**QUESTION, "stream_options": {"include_usage": True}},
    ],
)
def test_what_only_looks_different_is_the_same_request(fields: dict[str, Any]) -> None:
    async def scenario() -> None:
        gateway = one()
        await gateway.complete()
        await gateway.here.settle()

        assert (await gateway.complete(fields=fields)).trace.cache == "hit"

    run_virtual(scenario())


def test_integers_that_could_be_taken_for_each_other_pass_by() -> None:
    async def scenario() -> None:
        gateway = one()
        for seed in (2**53 + 1, 2**53 + 2):
            assert (await gateway.complete(fields={**QUESTION, "seed": seed})).trace.cache == "bypass"

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("scope", "others"),
    [
        (CacheScope.TEAM, [("L", "U", "hit"), ("L", "V", "hit")]),
        (CacheScope.USER, [("L", "U", "hit"), ("L", "V", "miss")]),
        (CacheScope.KEY, [("L", "U", "miss"), ("K", "U", "hit")]),
    ],
)
def test_replies_are_shared_as_far_as_the_scope_goes(scope: CacheScope, others: list[tuple[str, str, str]]) -> None:
    async def scenario() -> None:
        gateway = one(policy=CachePolicy(scope=scope))
        await gateway.complete()
        await gateway.here.settle()
        for key, user, found in others:
            assert (await gateway.complete(caller=key_of(key, user_id=user))).trace.cache == found
        assert (await gateway.complete(caller=key_of("K", "S"))).trace.cache == "miss"

    run_virtual(scenario())


def test_of_strangers_the_user_field_tells_them_apart() -> None:
    async def scenario() -> None:
        gateway = one(policy=CachePolicy(scope=CacheScope.GLOBAL))
        await gateway.complete(fields={**QUESTION, "user": "a"})
        await gateway.here.settle()
        stranger = key_of("X", "S")
        assert (await gateway.complete(fields={**QUESTION, "user": "a"}, caller=stranger)).trace.cache == "hit"
        assert (await gateway.complete(fields={**QUESTION, "user": "b"}, caller=stranger)).trace.cache == "miss"

    run_virtual(scenario())


def test_a_hit_is_limited_like_any_other_request_and_is_recorded_at_no_cost() -> None:
    async def scenario() -> None:
        gateway = one(rates=RatePolicy(Algorithm.SLIDING_WINDOW, 2, {}))
        await gateway.complete()
        await gateway.here.settle()
        await gateway.complete()
        with pytest.raises(RateLimited):
            await gateway.complete()
        assert gateway.calls == 1
        records = gateway.inner.records()
        assert [(each.attempt, each.cache_hit, each.cost_nano, each.first) for each in records] == [
            (1, False, 0, True),
            (0, True, 0, True),
        ]
        assert records[1].outcome is UsageOutcome.SUCCESS
        assert [trace.outcome for trace in gateway.observer.traces] == ["success", "RateLimited"]

    run_virtual(scenario())


def test_whoever_may_not_use_the_model_is_given_no_stored_reply() -> None:
    async def scenario() -> None:
        gateway = one()
        await gateway.complete()
        await gateway.here.settle()
        with pytest.raises(ModelNotAllowed):
            await gateway.complete(caller=key_of("K", models=frozenset({"other"})))

    run_virtual(scenario())


def test_wishes_of_the_client_are_heeded() -> None:
    async def scenario() -> None:
        gateway = one()
        with pytest.raises(CacheMiss):
            await gateway.complete(cache=CacheControl.ONLY_IF_CACHED)
        assert (await gateway.complete(cache=CacheControl.NO_STORE)).trace.cache == "miss"
        with pytest.raises(CacheMiss):
            await gateway.complete(cache=CacheControl.ONLY_IF_CACHED)
        await gateway.complete()
        await gateway.here.settle()
        assert (await gateway.complete(cache=CacheControl.ONLY_IF_CACHED)).trace.cache == "hit"
        assert (await gateway.complete(cache=CacheControl.NO_STORE)).trace.cache == "hit"
        gateway.upstream().otherwise = Act(text="fresh")
        fresh = await gateway.complete(cache=CacheControl.NO_CACHE)
        await gateway.here.settle()
        assert (fresh.trace.cache, content_of(fresh)) == ("miss", "fresh")
        assert content_of(await gateway.complete()) == "fresh"
        assert gateway.calls == 3

    run_virtual(scenario())


def test_only_if_cached_is_a_miss_where_nothing_can_be_cached() -> None:
    async def scenario() -> None:
        for gateway, fields in ((one(), {}), (one(policy=CachePolicy(enabled=False)), QUESTION)):
            with pytest.raises(CacheMiss):
                await gateway.complete(fields=fields, cache=CacheControl.ONLY_IF_CACHED)
            assert gateway.calls == 0

    run_virtual(scenario())


@pytest.mark.parametrize("policy", [CachePolicy(), CachePolicy(enabled=False)])
@pytest.mark.parametrize("fields", [QUESTION, {}])
def test_only_if_cached_says_what_is_wrong_with_the_model(policy: CachePolicy, fields: dict[str, Any]) -> None:
    async def scenario() -> None:
        gateway = one(policy=policy)
        cached = gateway.request(cache=CacheControl.ONLY_IF_CACHED, fields=fields)
        unknown = replace(cached, llm=replace(cached.llm, model="nonesuch"))
        forbidden = replace(cached, caller=key_of("K", models=frozenset({"other"})))
        for wrong, error in ((unknown, ModelNotFound), (forbidden, ModelNotAllowed)):
            plain = replace(wrong, cache=CacheControl.DEFAULT)
            said = []
            for asked in (wrong, plain):
                with pytest.raises(error) as raised:
                    await gateway.caching.complete(asked)
                said.append((str(raised.value), raised.value.param))
            assert said[0] == said[1]

    run_virtual(scenario())


def test_an_instance_that_a_reload_points_elsewhere_has_none_of_its_old_replies() -> None:
    async def scenario() -> None:
        gateway = one()
        source = gateway.inner._complete.dispatch.catalog_source
        assert isinstance(source, MemoryCatalogSource)
        catalog, policy = source.current()
        elsewhere = (*(replace(member, made_by="elsewhere") for member in catalog.instances[GPT]),)
        await gateway.complete()
        await gateway.here.settle()

        source.replace(replace(catalog, instances={**catalog.instances, GPT: elsewhere}), policy)
        assert (await gateway.complete()).trace.cache == "miss"
        source.replace(replace(catalog), policy)
        assert (await gateway.complete()).trace.cache == "hit"

    run_virtual(scenario())


def test_a_cache_that_is_turned_off_leaves_no_trace() -> None:
    async def scenario() -> None:
        gateway = one(policy=CachePolicy(enabled=False))
        for _ in range(2):
            assert (await gateway.complete()).trace.cache is None
        assert gateway.calls == 2

    run_virtual(scenario())


def test_a_reply_is_kept_for_its_time_give_or_take_a_tenth() -> None:
    async def scenario() -> None:
        gateway = one(policy=CachePolicy(ttl_us=100 * SECOND_US))
        await gateway.complete()
        await gateway.here.settle()
        await gateway.clock.sleep(89 * SECOND_US)
        assert (await gateway.complete()).trace.cache == "hit"
        await gateway.clock.sleep(22 * SECOND_US)
        assert (await gateway.complete()).trace.cache == "miss"

    run_virtual(scenario())


def test_truncated_streams_errors_and_replies_of_fallbacks_are_not_stored() -> None:
    async def scenario() -> None:
        gateway = one()
        broken = fails(FailureKind.SERVER_ERROR, status=500)
        cut = Act(chunks=2, failure=broken.failure)
        gateway.upstream().script.append(cut)
        with pytest.raises(UpstreamError):
            await gateway.text()
        await gateway.here.settle()
        assert (await gateway.complete(cache=CacheControl.NO_STORE)).trace.cache == "miss"

        for name in ("a", "b"):
            gateway.upstream(name).otherwise = broken
        by_fallback = await gateway.complete()
        await gateway.here.settle()
        assert by_fallback.instance is not None
        assert by_fallback.instance.model_name == "wide"
        gateway.upstream("w").otherwise = broken
        with pytest.raises(UpstreamFailed):
            await gateway.complete()

    run_virtual(scenario())


def test_a_reply_that_is_too_large_is_served_and_not_stored() -> None:
    async def scenario() -> None:
        gateway = CachingGateway(SharedReplies(max_entry_bytes=400))
        for name in ("a", "b"):
            gateway.upstream(name).otherwise = Act(text="x" * 300, chunks=3)
        whole, streamed = await gateway.complete(), await gateway.text()
        await gateway.here.settle()
        assert (len(content_of(whole)), len(streamed)) == (300, 906)
        assert (await gateway.complete()).trace.cache == "miss"

    run_virtual(scenario())


def test_a_store_that_is_away_costs_nothing_but_the_hits() -> None:
    async def scenario() -> None:
        shared = SharedReplies()
        gateway = CachingGateway(shared)

        async def away(*_: Any) -> Any:
            raise StateUnavailable("away")

        shared.cache.acquire_fill = shared.cache.count = away  # type: ignore[method-assign, assignment]
        for _ in range(2):
            completed = await gateway.complete()
            assert (completed.trace.cache, completed.trace.degraded) == ("miss", ("cache",))
        assert said(await drained(await gateway.stream())) != ""
        await gateway.uses.flush()
        assert gateway.calls == 3

    run_virtual(scenario())


def test_the_usage_chunk_shows_to_whom_asked_for_it() -> None:
    async def scenario(first: bool, second: bool) -> None:
        gateway = one()
        for shows in (first, second):
            chunks = await drained(await gateway.stream(stream_usage=shows))
            await gateway.here.settle()
            assert any(chunk.usage is not None and chunk.visible for chunk in chunks) is shows
        assert gateway.calls == 1

    for first in (True, False):
        for second in (True, False):
            run_virtual(scenario(first, second))


def test_uses_are_counted_by_scope_and_model() -> None:
    async def scenario() -> None:
        shared = SharedReplies()
        gateway = CachingGateway(shared)
        for fields in (QUESTION, QUESTION, {}):
            await gateway.complete(fields=fields)
            await gateway.here.settle()
        await gateway.complete(model="other", caller=key_of("K", "S"))
        await gateway.uses.flush()
        stats = await shared.cache.stats("team:T")
        everything = await shared.cache.stats()
        assert (stats.hits, stats.misses, stats.bypasses, stats.stores) == (1, 1, 1, 1)
        assert set(everything.by_model) == {"gpt", "other"}
        assert everything.misses == 2

    run_virtual(scenario())


def test_a_client_that_leaves_a_replay_half_way_is_recorded_as_such() -> None:
    async def scenario() -> None:
        gateway = one()
        await gateway.complete()
        await gateway.here.settle()
        streaming = await gateway.stream()
        await anext(streaming.chunks)
        await streaming.chunks.aclose()
        last: UsageRecord = gateway.inner.records()[-1]
        assert (last.cache_hit, last.outcome) == (True, UsageOutcome.CANCELLED)

    run_virtual(scenario())
