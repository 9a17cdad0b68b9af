"""The table of capabilities says what the providers do: each field of a chat is tried with each of them."""

import json
from dataclasses import replace

import httpx
import pytest
from pydantic import TypeAdapter

from adapters.outbound.providers.capabilities import CHAT_PARAMETERS, Part, Treatment
from adapters.outbound.providers.echo import EchoConfig, EchoProvider
from adapters.testing.doubles import SeededRandomness
from adapters.testing.provider_contract import UPSTREAM_MODEL, a_call
from adapters.testing.virtual_time import ManualClock
from bootstrap.provider_wiring import CAPABILITIES, configured_providers
from bootstrap.settings.providers import AnyProviderSettings, ProviderSettings
from domain.failure import FailureKind, ProviderFailed
from domain.identifiers import InstanceId
from tests.bootstrap_tests.capabilities_page import DOCUMENT, capabilities_page
from tests.wires.all_wires import WIRES
from tests.wires.wire import Wire

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
ASKED: dict[str, object] = {
    "temperature": 0.5,
    "top_p": 0.25,
    "frequency_penalty": 0.5,
    "presence_penalty": 0.5,
    "logit_bias": {"1734": -100},
    "seed": 7,
    "n": 2,
    "stop": ["end"],
    "max_tokens": 77,
    "max_completion_tokens": 78,
    "reasoning_effort": "high",
    "verbosity": "low",
    "response_format": {"type": "json_schema", "json_schema": {"name": "s", "strict": True, "schema": SCHEMA}},
    "logprobs": True,
    "top_logprobs": 3,
    "tools": [TOOL],
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "modalities": ["text", "audio"],
    "audio": {"voice": "alloy", "format": "wav"},
    "prediction": {"type": "content", "content": "x"},
    "web_search_options": {"search_context_size": "low"},
    "user": "u",
    "safety_identifier": "s",
    "prompt_cache_key": "k",
    "service_tier": "flex",
    "store": True,
    "metadata": {"a": "b"},
}
BESIDE: dict[str, dict[str, object]] = {
    "tool_choice": {"tools": [TOOL]},
    "parallel_tool_calls": {"tools": [TOOL]},
    "top_logprobs": {"logprobs": True},
}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PARTS: dict[Part, dict[str, object]] = {
    Part.IMAGE_DATA: {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
    Part.IMAGE_URL: {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
    Part.AUDIO: {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
    Part.FILE: {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}},
}
MODELS = {"bedrock": "anthropic.claude-sonnet-4-20250514-v1:0"}
"""Where what is asked of a provider depends on the model's maker."""
every_wire = pytest.mark.parametrize("wire", WIRES, ids=[wire.name for wire in WIRES])


async def sent(wire: Wire, more: dict[str, object], *, drop_params: bool = False) -> dict[str, object] | str:
    """What a provider of that type was sent; the field that was refused where one was."""
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host != "own.example":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})
        bodies.append(request.content)
        return httpx.Response(500, json={})

    fields = wire.settings("http://own.example", MODELS.get(wire.name, UPSTREAM_MODEL))
    settings: AnyProviderSettings = TypeAdapter(ProviderSettings).validate_python(fields)
    instance = InstanceId("i")
    provider = configured_providers(
        {instance: settings}, httpx.MockTransport(answer), ManualClock(), SeededRandomness()
    ).find(instance)
    assert provider is not None
    call = a_call()
    asked = {**call.request.fields, **more}
    request = replace(call.request, fields=asked, body=json.dumps(asked).encode())
    asking = replace(
        call, request=request, drop_params=drop_params, upstream_model=MODELS.get(wire.name, UPSTREAM_MODEL)
    )
    with pytest.raises(ProviderFailed) as failed:
        await provider.complete(asking)
    failure = failed.value.failure
    if failure.kind is FailureKind.UNSUPPORTED:
        assert not bodies
        return failure.param or ""
    assert len(bodies) == 1, failure
    document: dict[str, object] = json.loads(bodies[0])
    return document


def test_every_field_has_a_value_here() -> None:
    assert set(ASKED) == set(CHAT_PARAMETERS)


@every_wire
@pytest.mark.parametrize("field", CHAT_PARAMETERS)
async def test_field_is_treated_as_the_table_says(wire: Wire, field: str) -> None:
    beside = {
        name: value for name, value in BESIDE.get(field, {}).items() if name in CAPABILITIES[wire.name].parameters
    }
    without = await sent(wire, beside)
    with_it = await sent(wire, beside | {field: ASKED[field]})

    match CAPABILITIES[wire.name].treatment(field):
        case Treatment.HONOURED:
            assert isinstance(with_it, dict), f"{with_it} is refused"
            assert with_it != without
        case Treatment.WITHOUT_EFFECT:
            assert with_it == without
        case Treatment.REFUSED:
            assert with_it == field
            assert await sent(wire, beside | {field: ASKED[field]}, drop_params=True) == without


@every_wire
async def test_options_that_ask_for_nothing_are_refused_nowhere(wire: Wire) -> None:
    nothing: dict[str, object] = {
        "n": 1,
        "frequency_penalty": 0,
        "presence_penalty": 0,
        "top_logprobs": 0,
        "parallel_tool_calls": True,
        "modalities": ["text"],
        "logprobs": False,
        "logit_bias": {},
        "seed": None,
    }
    for name, value in nothing.items():
        assert isinstance(await sent(wire, {"tools": [TOOL], name: value}), dict), name
    assert isinstance(await sent(wire, {"parallel_tool_calls": False}), dict), "there are no tools"


@pytest.mark.parametrize("field", CHAT_PARAMETERS)
async def test_echo_heeds_what_the_table_says(field: str) -> None:
    echo = EchoProvider(EchoConfig(), ManualClock(), SeededRandomness())

    async def said(more: dict[str, object]) -> object:
        call = a_call()
        asked = {**call.request.fields, **more}
        maximum = more.get("max_tokens", more.get("max_completion_tokens"))
        request = replace(call.request, fields=asked, max_output_tokens=maximum if isinstance(maximum, int) else None)
        reply = await echo.complete(replace(call, request=request))
        return json.loads(reply.body)["choices"]

    # A maximum shows where it cuts, and a tool where it is chosen.
    value = {"max_tokens": 1, "max_completion_tokens": 1}.get(field, ASKED[field])
    besides: dict[str, dict[str, object]] = {"tools": {"tool_choice": "required"}, "tool_choice": {"tools": [TOOL]}}
    beside = besides.get(field, {})
    heeded = CAPABILITIES["echo"].treatment(field) is Treatment.HONOURED
    assert (await said(beside | {field: value}) != await said(beside)) is heeded


@every_wire
@pytest.mark.parametrize("part", Part)
async def test_part_of_a_message_is_sent_or_refused_as_the_table_says(wire: Wire, part: Part) -> None:
    content = [{"type": "text", "text": "What is this?"}, PARTS[part]]
    asked = await sent(wire, {"messages": [{"role": "user", "content": content}]})

    assert isinstance(asked, dict) == (part in CAPABILITIES[wire.name].parts), asked


def test_page_shows_the_table() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == capabilities_page(), (
        "write it anew: python -m tests.bootstrap_tests.capabilities_page"
    )
