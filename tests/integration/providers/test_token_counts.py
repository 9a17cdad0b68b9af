"""The providers that count a prompt's tokens are asked for it, and the gateway estimates where they refuse."""

import json
from dataclasses import replace
from typing import Any

import pytest
from google.genai import types

from domain.chat import Endpoint, Reply, Usage
from domain.failure import FailureKind, ProviderFailed
from tests.integration.providers.calls import call
from tests.integration.providers.wired import Upstream, wired
from tests.wires.bedrock import KEYS, REGION, BedrockWire
from tests.wires.bedrock_model import asked_of, assert_signed
from tests.wires.cohere import CohereWire
from tests.wires.gemini import GeminiWire
from tests.wires.openai import OpenAIWire
from tests.wires.vertex import VertexWire
from tests.wires.wire import Wire, WireReply, WireRequest

CLAUDE = "us.anthropic.claude-sonnet-4-20250514-v1:0"
FIELDS = {
    "model": "mine",
    "system": "Be brief.",
    "messages": [{"role": "user", "content": "Hello."}],
    "tools": [{"name": "f", "description": "Looks.", "input_schema": {"type": "object", "properties": {}}}],
}
GOOGLES = WireReply(200, (b'{"totalTokens": 4242, "promptTokensDetails": [{"modality": "TEXT"}]}',))
AMAZONS = WireReply(200, (b'{"inputTokens": 4242}',))
TOKEN = WireReply(200, (b'{"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}',))
ESTIMATE = 17
COUNTED = Reply(b'{"input_tokens":4242}', Usage(0, 0))
ESTIMATED = Reply(b'{"input_tokens":17}', Usage(0, 0), by_gateway=True)
counting = pytest.mark.parametrize(
    ("wire", "reply", "model"),
    [
        (GeminiWire(), GOOGLES, "gemini-2.5-flash"),
        (VertexWire(), GOOGLES, "gemini-2.5-flash"),
        (BedrockWire(), AMAZONS, CLAUDE),
    ],
    ids=lambda value: getattr(value, "name", None),
)


async def count(wire: Wire, model: str, *replies: WireReply) -> tuple[Reply, Upstream]:
    # Vertex's transport fetches the token, too.
    provider, upstream = wired(wire, *[TOKEN] * (wire.name == "vertex"), *replies)
    asked = call(body=json.dumps(FIELDS).encode(), endpoint=Endpoint.COUNT_TOKENS, upstream_model=model)
    request = replace(asked.request, input_tokens=ESTIMATE)
    return await provider.complete(replace(asked, request=request)), upstream


def of_model(upstream: Upstream) -> list[WireRequest]:
    """Without those for a token."""
    return [request for request in upstream.requests if "count" in request.path]


@counting
async def test_the_providers_own_count_is_told(wire: Wire, reply: WireReply, model: str) -> None:
    told, upstream = await count(wire, model, reply)

    assert told == COUNTED
    assert len(of_model(upstream)) == 1


async def test_gemini_is_shown_the_whole_request() -> None:
    _, upstream = await count(GeminiWire(), "gemini-2.5-flash", GOOGLES)

    (request,) = upstream.requests
    assert request.path == "/lane-a/v1beta/models/gemini-2.5-flash:countTokens"
    whole = json.loads(request.body)["generateContentRequest"]
    assert whole.pop("model") == "models/gemini-2.5-flash"
    assert_counted(whole)


async def test_vertex_is_shown_what_its_count_takes() -> None:
    _, upstream = await count(VertexWire(), "gemini-2.5-flash", GOOGLES)

    (request,) = of_model(upstream)
    assert request.path.endswith("/models/gemini-2.5-flash:countTokens")
    body = json.loads(request.body)
    assert set(body) <= {"contents", "systemInstruction", "tools", "generationConfig"}
    assert_counted(body)


def assert_counted(body: dict[str, Any]) -> None:
    contents = [types.Content.model_validate(content) for content in body["contents"]]
    assert [(one.role, [part.text for part in one.parts or ()]) for one in contents] == [("user", ["Hello."])]
    system = types.Content.model_validate(body["systemInstruction"])
    assert [part.text for part in system.parts or ()] == ["Be brief."]
    (tool,) = (types.Tool.model_validate(tool) for tool in body["tools"])
    assert [declared.name for declared in tool.function_declarations or ()] == ["f"]


async def test_bedrock_counts_for_a_claude_under_its_own_id() -> None:
    _, upstream = await count(BedrockWire(), CLAUDE, AMAZONS)

    (request,) = upstream.requests
    assert_signed(request, KEYS, REGION)
    asked = asked_of(request, "CountTokens")
    assert asked["modelId"] == "anthropic.claude-sonnet-4-20250514-v1:0"
    shown = asked["input"]["converse"]
    assert set(shown) == {"messages", "system", "toolConfig"}
    assert shown["messages"] == [{"role": "user", "content": [{"text": "Hello."}]}]


@pytest.mark.parametrize(
    ("wire", "model"), [(BedrockWire(), "amazon.nova-pro-v1:0"), (CohereWire(), "command-a"), (OpenAIWire(), "gpt-5")]
)
async def test_who_does_not_count_is_not_asked(wire: Wire, model: str) -> None:
    told, upstream = await count(wire, model)

    assert upstream.requests == []
    assert told == ESTIMATED


@counting
@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429])
async def test_who_refuses_to_count_is_estimated(wire: Wire, reply: WireReply, model: str, status: int) -> None:
    refusal = WireReply(status, (b'{"message": "no", "error": {"message": "no"}}',), reply.headers)
    told, upstream = await count(wire, model, refusal)

    assert told == ESTIMATED
    assert of_model(upstream)


@counting
@pytest.mark.parametrize("broken", [b"{}", b'{"totalTokens": "4", "inputTokens": true}', b"[]"])
async def test_a_count_that_is_no_number_is_a_broken_reply(
    wire: Wire, reply: WireReply, model: str, broken: bytes
) -> None:
    with pytest.raises(ProviderFailed) as failed:
        await count(wire, model, WireReply(200, (broken,), reply.headers))
    assert failed.value.failure.kind is FailureKind.BROKEN_REPLY


@counting
async def test_a_provider_that_is_out_of_order_is_a_failed_attempt(wire: Wire, reply: WireReply, model: str) -> None:
    with pytest.raises(ProviderFailed) as failed:
        await count(wire, model, WireReply(500, (b"{}",), reply.headers))
    assert failed.value.failure.kind is FailureKind.SERVER_ERROR
