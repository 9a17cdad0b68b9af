"""Every OpenAI-compatible type of provider, in front of an upstream that speaks as the real one does."""

import json

import pytest

from domain.failure import FailureKind, ProviderFailed
from tests.integration.providers.calls import call
from tests.integration.providers.upstream import drain
from tests.integration.providers.wired import MODEL, wired
from tests.wires.azure import AzureWire
from tests.wires.custom import CustomWire
from tests.wires.groq import GroqWire
from tests.wires.huggingface import HuggingFaceWire
from tests.wires.mistral import MistralWire
from tests.wires.ollama import OllamaWire
from tests.wires.openai import OpenAIWire
from tests.wires.openrouter import OpenRouterWire
from tests.wires.vllm import VllmWire
from tests.wires.wire import Heard, Refused, Said, ToolCall, Wire, WireRequest

WIRES: tuple[Wire, ...] = (
    OpenAIWire(),
    AzureWire(),
    CustomWire(),
    GroqWire(),
    HuggingFaceWire(),
    MistralWire(),
    OllamaWire(),
    OpenRouterWire(),
    VllmWire(),
)
IMAGE = "data:image/png;base64,iVBORw0KGgo="
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
ASKED: dict[str, object] = {
    "model": "mine",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": IMAGE}}],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "seen"},
    ],
    "tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
    "tool_choice": {"type": "function", "function": {"name": "look"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": SCHEMA}},
    "stop": ["END"],
    "max_tokens": 9,
    "temperature": 0.5,
}
HEARD = Heard(
    model=MODEL,
    stream=False,
    system="Be brief.",
    turns=(("user", "What?"),),
    images=(IMAGE,),
    tools=("look",),
    tool_choice="look",
    calls=(ToolCall("c1", "look", {"at": 1}),),
    results=(("c1", "seen"),),
    schema=SCHEMA,
    stop=("END",),
    max_tokens=9,
    temperature=0.5,
)
SAID = Said(
    text="Größe 😀",
    reasoning="Let me see",
    calls=(ToolCall("c2", "look", {"at": 2}), ToolCall("c3", "look", {})),
    finish="tool_calls",
    cached_tokens=5,
)


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
async def test_everything_that_a_chat_asks_for_is_heard(wire: Wire) -> None:
    provider, upstream = wired(wire, wire.whole(SAID, MODEL))

    reply = await provider.complete(call(ASKED, upstream_model=MODEL))

    assert upstream.heard == HEARD
    document = json.loads(reply.body)
    message = document["choices"][0]["message"]
    assert (document["model"], message["content"]) == ("mine", SAID.text)
    assert [each["id"] for each in message["tool_calls"]] == ["c2", "c3"]
    assert reply.usage is not None
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.cached_input_tokens) == (11, 7, 5)


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
async def test_a_stream_holds_what_was_said_and_tells_its_usage_once(wire: Wire) -> None:
    provider, upstream = wired(wire, wire.stream(SAID, MODEL))

    chunks = await drain(await provider.stream(call({**ASKED, "stream": True}, upstream_model=MODEL)))

    assert upstream.heard.stream
    deltas = [each["delta"] for chunk in chunks for each in json.loads(chunk.data)["choices"]]
    arguments = "".join(part["function"]["arguments"] for delta in deltas for part in delta.get("tool_calls", ()))
    assert "".join(delta.get("content") or "" for delta in deltas) == SAID.text
    assert arguments == '{"at": 2}{}'
    assert [chunk.usage.cached_input_tokens for chunk in chunks if chunk.usage is not None] == [5]


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
async def test_a_refusal_for_its_rate_keeps_its_words_and_when_to_come_back(wire: Wire) -> None:
    provider, _ = wired(wire, wire.refusal(Refused(429, "too many", 7)))

    with pytest.raises(ProviderFailed) as raised:
        await provider.complete(call(ASKED))

    failure = raised.value.failure
    assert (failure.kind, failure.message, failure.retry_after_us) == (FailureKind.RATE_LIMITED, "too many", 7_000_000)


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
def test_what_was_sent_to_the_wrong_place_or_without_its_key_is_not_heard(wire: Wire) -> None:
    strange = WireRequest("POST", "/elsewhere", "", {"authorization": "Bearer other"}, b"{}")

    with pytest.raises(ValueError, match="no chat request"):
        wire.hear(strange)
