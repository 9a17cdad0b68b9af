"""Reranking by Cohere: at its own path, with nothing but the model changed."""

import json

import httpx
import pytest

from adapters.inbound.http.schemas import parse_llm_request
from adapters.outbound.providers.cohere.dialect import CohereConfig
from adapters.outbound.providers.cohere.reranking import reranking
from application.ports.provider import Call
from domain.chat import Endpoint, Usage
from domain.failure import FailureKind, ProviderFailed
from domain.identifiers import RequestId

BODY = b'{"model": "best", "query":"q","documents":["a","b"],"top_n":1}'
REPLY = b'{"id":"1","results":[{"index":1,"relevance_score":0.5}],"meta":{"billed_units":{"search_units":1}}}'


def call() -> Call:
    return Call(RequestId("r"), parse_llm_request(Endpoint.RERANK, BODY), "best", "rerank-v3.5")


async def test_reranking_goes_to_the_second_api_and_comes_back_as_it_is() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=REPLY, headers={"content-type": "application/json"})

    reply = await reranking(CohereConfig("secret"), httpx.MockTransport(answer)).complete(call())

    assert (reply.body, reply.usage) == (REPLY, Usage(1, 0, estimated=True, units=1))
    assert str(seen[0].url) == "https://api.cohere.com/v2/rerank"
    assert seen[0].headers["authorization"] == "Bearer secret"
    assert json.loads(seen[0].content) == {**json.loads(BODY), "model": "rerank-v3.5"}


@pytest.mark.parametrize("body", [b"{}", b'{"results":{}}', b"<html>"])
async def test_reply_without_results_is_broken(body: bytes) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body))

    with pytest.raises(ProviderFailed) as failed:
        await reranking(CohereConfig("secret"), transport).complete(call())

    assert failed.value.failure.kind is FailureKind.BROKEN_REPLY
