"""What something else than text costs, before and after."""

import json
from dataclasses import replace
from typing import Any

import pytest

from adapters.inbound.http.schemas import parse_llm_request
from adapters.outbound.providers.forwarding.event_blocks import EventBlocks, data_of
from adapters.outbound.providers.forwarding.work_done import work_done
from application.billing.estimate import Terms, estimate
from domain.caching import is_cacheable
from domain.callers import Caller, CallerKind
from domain.catalog import Instance
from domain.chat import Endpoint, LlmRequest, Usage
from domain.identifiers import InstanceId, ModelName
from domain.price_book import Priced, PriceLayer
from domain.pricing import Prices
from domain.work import Work

CALLER = Caller(CallerKind.KEY, "k")
INSTANCE = Instance(InstanceId("i"), ModelName("m"), "openai", "u")


def asked(endpoint: Endpoint, **fields: object) -> LlmRequest:
    return parse_llm_request(endpoint, json.dumps({"model": "m", **fields}).encode())


@pytest.mark.parametrize(
    ("endpoint", "fields", "units", "most"),
    [
        (Endpoint.MODERATIONS, {"input": ["a", "b"]}, 1, 1),
        (Endpoint.IMAGES, {"prompt": "a", "n": 4}, 4, 4),
        (Endpoint.IMAGES, {"prompt": "a"}, 1, 1),
        (Endpoint.SPEECH, {"input": "Zürich"}, 6, 6),
        (Endpoint.RERANK, {"query": "q", "documents": ["a"] * 101}, 2, 2),
        (Endpoint.RERANK, {"query": "q", "documents": [{"text": "a" * 30_000}] * 10}, 2, 13),
    ],
)
def test_request_tells_what_it_may_come_to(endpoint: Endpoint, fields: dict[str, Any], units: int, most: int) -> None:
    llm = asked(endpoint, **fields)

    assert (llm.work.units, llm.work.most_units) == (units, most)
    assert llm.stream is (endpoint is Endpoint.SPEECH)
    assert llm.max_output_tokens is None
    assert not is_cacheable(asked(endpoint, temperature=0, **fields))


HEARD = LlmRequest(Endpoint.TRANSCRIPTIONS, "m", b"", {}, input_tokens=9, work=Work(7, 70, 5, 50))
PAINTED = LlmRequest(Endpoint.IMAGES, "m", b"", {}, input_tokens=9, work=Work(2, 2, 5, 50))
SEARCHED = LlmRequest(Endpoint.RERANK, "m", b"", {}, input_tokens=9, work=Work(2, 2))


@pytest.mark.parametrize(
    ("llm", "document", "usage"),
    [
        (HEARD, {"usage": {"type": "duration", "seconds": 1.2}}, Usage(9, 0, estimated=True, units=2)),
        (HEARD, {"duration": "61.5"}, Usage(9, 0, estimated=True, units=62)),
        (HEARD, {"usage": {"input_tokens": 3, "output_tokens": 4}}, Usage(3, 4, units=7)),
        (
            HEARD,
            {"usage": {"prompt_tokens": 3, "completion_tokens": 4, "prompt_audio_seconds": 12}},
            Usage(3, 4, units=12),
        ),
        (HEARD, {"usage": {"seconds": -1}, "duration": "never"}, Usage(9, 5, estimated=True, units=7)),
        (HEARD, {}, Usage(9, 5, estimated=True, units=7)),
        (PAINTED, {"data": [{}]}, Usage(9, 0, estimated=True, units=1)),
        (PAINTED, {"data": [{}, {}], "usage": {"input_tokens": 3, "output_tokens": 4}}, Usage(3, 4, units=2)),
        (SEARCHED, {"meta": {"billed_units": {"search_units": 3.0}}}, Usage(9, 0, estimated=True, units=3)),
        (SEARCHED, {"usage": {"prompt_tokens": 3, "total_tokens": 3}}, Usage(3, 0, units=2)),
        (SEARCHED, {"usage": {"total_tokens": 815}}, Usage(815, 0, units=2)),
        (SEARCHED, {"usage": {"search_units": 3, "total_tokens": 150}}, Usage(150, 0, units=3)),
        (HEARD, {"usage": {"total_tokens": 815}}, Usage(9, 5, estimated=True, units=7)),
    ],
)
def test_reply_tells_what_it_came_to(llm: LlmRequest, document: dict[str, object], usage: Usage) -> None:
    assert work_done(document, llm) == usage


def test_units_cost_beside_tokens_and_are_rounded_once() -> None:
    prices = Prices(input=1_000_000, unit=1_500_000)

    assert prices.cost_nano(Usage(1, 0, units=1)) == 3
    assert Prices(unit=100_000 * 1_000_000).cost_nano(Usage(0, 0, units=61)) == 6_100_000


def test_money_is_reserved_for_the_bound_and_expected_without_a_budget() -> None:
    price = Priced(Prices(output=2_000_000, unit=1_000_000), PriceLayer.INSTANCE)

    most = estimate(HEARD, INSTANCE, price, Terms(), CALLER, most=True)
    expected = estimate(HEARD, INSTANCE, price, Terms(), CALLER, most=False)

    assert (most.output_tokens, most.cost_nano) == (50, 170)
    assert (expected.output_tokens, expected.cost_nano) == (5, 17)


def test_reranking_may_read_the_query_with_each_document() -> None:
    once = asked(Endpoint.RERANK, query="Z\u00fcrich", documents=["a"])
    often = asked(Endpoint.RERANK, query="Z\u00fcrich", documents=["a"] * 11)
    documents_bytes = 10 * len(', "a"')

    assert often.most_input_tokens == once.most_input_tokens + documents_bytes + 10 * 7
    assert (once.input_tokens, often.input_tokens) == (2, 20)
    assert asked(Endpoint.RERANK, query="\ud800", documents=["a", "b"]).most_input_tokens > 0


@pytest.mark.parametrize(
    ("endpoint", "fields", "most"),
    [
        (Endpoint.RERANK, {"query": "q", "documents": ["a" * 90] * 3}, None),
        (Endpoint.EMBEDDINGS, {"input": ["a" * 90] * 3}, None),
        (Endpoint.COMPLETIONS, {"prompt": ["a" * 90] * 3}, 300),
        (Endpoint.COMPLETIONS, {"prompt": "a" * 900}, 100),
        (Endpoint.CHAT, {"messages": [{"role": "user", "content": "a" * 900}], "n": 3}, 100),
    ],
)
def test_window_of_one_prompt_does_not_bound_a_batch(
    endpoint: Endpoint, fields: dict[str, Any], most: int | None
) -> None:
    llm = asked(endpoint, **fields)
    narrow = replace(INSTANCE, context_window=100)

    found = estimate(llm, narrow, Priced(Prices(1), PriceLayer.INSTANCE), Terms(), CALLER, most=True)

    assert found.input_tokens == (llm.most_input_tokens if most is None else most)


@pytest.mark.parametrize("step", range(1, 12))
@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n"])
def test_events_are_cut_whole_however_they_are_fragmented(step: int, end: bytes) -> None:
    whole = b"event: a" + end[: len(end) // 2] + b'data: {"x":"Z\xc3\xbc"}' + end + b": still there" + end + b"data: y"
    parser, blocks = EventBlocks(), []
    for start in range(0, len(whole), step):
        blocks += parser.feed(whole[start : start + step])

    assert b"".join(blocks) == whole.removesuffix(b"data: y")
    assert [data_of(block) for block in [*blocks, *parser.finish()]] == [b'{"x":"Z\xc3\xbc"}', b"", b"y"]
