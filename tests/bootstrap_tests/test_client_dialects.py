"""What each type's chat is told of what clients of other dialects say beyond OpenAI's documented fields."""

import json
from typing import Any

import pytest

from adapters.testing.provider_contract import a_call
from application.ports.provider import Call, ChunkStream
from bootstrap.client_dialects import speaking
from bootstrap.settings import BUILT_TYPES
from domain.chat import Endpoint, LlmRequest, Reply

UNSIGNED = {"type": "thinking", "thinking": "hm", "signature": ""}
MESSAGE: dict[str, Any] = {
    "max_tokens": 9,
    "top_k": 5,
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]},
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "hm", "signature": ""}, {"type": "text", "text": "b"}],
        },
        {"role": "user", "content": "c"},
    ],
}
RESPONSE: dict[str, Any] = {
    "input": [
        {"role": "user", "content": "a"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ],
    "prompt_cache_key": "k",
}
NEW, OLD = "max_completion_tokens", "max_tokens"
PLAIN: frozenset[str] = frozenset()
TRANSLATED = (OLD, frozenset({"top_k", "marks", "reasoning"}))
TOLD: dict[str, tuple[str, frozenset[str]]] = {
    "openai": (NEW, frozenset({"hints"})),
    "azure": (NEW, frozenset({"hints"})),
    "groq": (NEW, PLAIN),
    "mistral": (OLD, PLAIN),
    "huggingface": (OLD, PLAIN),
    "custom": (OLD, frozenset({"top_k", "hints"})),
    "vllm": (OLD, frozenset({"top_k", "reasoning", "hints"})),
    "ollama": (OLD, frozenset({"reasoning", "hints"})),
    "openrouter": (OLD, frozenset({"top_k", "marks", "reasoning", "hints"})),
    **dict.fromkeys(("anthropic", "bedrock", "cohere", "gemini", "vertex", "echo"), TRANSLATED),
}


class Heard:
    """A chat that keeps what it was asked."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}

    async def complete(self, call: Call) -> Reply:
        self.fields = dict(call.request.fields)
        choice = {"index": 0, "message": {"role": "assistant", "content": "d"}, "finish_reason": "stop"}
        return Reply(json.dumps({"choices": [choice]}).encode())

    async def stream(self, call: Call) -> ChunkStream:
        raise NotImplementedError(call)

    async def check(self) -> int | None:
        return None


async def heard(type_name: str, endpoint: Endpoint, fields: dict[str, Any]) -> dict[str, Any]:
    """What is not understood is left out."""
    chat = Heard()
    asked = {"model": "m", **fields}
    request = LlmRequest(endpoint, "m", json.dumps(asked).encode(), asked)
    call = Call(a_call().request_id, request, "m", "upstream", drop_params=True)
    await speaking(chat, type_name, frozenset()).complete(call)
    return chat.fields


def test_every_type_is_told_of_here() -> None:
    assert set(TOLD) == set(BUILT_TYPES)


@pytest.mark.parametrize("type_name", TOLD)
async def test_messages_and_responses_say_to_a_chat_what_it_understands(type_name: str) -> None:
    maximum, understood = TOLD[type_name]
    message = await heard(type_name, Endpoint.MESSAGES, MESSAGE)
    response = await heard(type_name, Endpoint.RESPONSES, RESPONSE)

    assert message[maximum] == 9
    assert ({NEW, OLD} - {maximum}).isdisjoint(message)
    assert ("top_k" in message) is ("top_k" in understood)
    assert ("cache_control" in json.dumps(message)) is ("marks" in understood)
    assert ("prompt_cache_key" in response) is ("hints" in understood)
    for asked in (message, response):
        assert (asked["messages"][1].get("reasoning_content") == "hm") is ("reasoning" in understood)
