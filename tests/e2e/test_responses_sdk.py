"""The official client's responses through the gateway: where the provider has them, and where it has only chat."""

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
import pytest_asyncio
from openai import AsyncOpenAI
from openai.types.responses import Response
from pydantic import BaseModel

from tests.e2e.behaviour import Behaviour, Ending, ending, failing
from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway
from tests.e2e.openai_wire import INPUT_TOKENS, whole_text
from tests.e2e.scripted_upstream import ScriptedUpstream

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOTH = pytest.mark.parametrize("model", ["native", "translated"])
WEATHER = ("weather", '{"city":"Zürich","days":[1,2,3]}')
TOOL: Any = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}, "strict": True}
NATIVE: Any = {"capabilities": ["responses"]}


class City(BaseModel):
    """What an answer is parsed to."""

    city: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    models: list[dict[str, object]] = [
        instance("native-limited", upstream.base_url, **NATIVE),
        instance("translated-limited", upstream.base_url),
        instance("native", upstream.base_url, **NATIVE),
        instance("translated", upstream.base_url),
        instance("crossing", upstream.base_url, "crossing-native", priority=2, **NATIVE),
        instance("crossing", upstream.base_url, "crossing-translated", priority=1),
        instance("crossing-back", upstream.base_url, "back-translated", priority=2),
        instance("crossing-back", upstream.base_url, "back-native", priority=1, **NATIVE),
        instance("cached", upstream.base_url),
        instance("cached-native", upstream.base_url, **NATIVE),
        {"model_name": "echo", "id": "echo", "provider": {"type": "echo"}},
    ]
    document = configuration(models, cache={"enabled": True})
    async with running_gateway(document, tmp_path_factory.mktemp("responses")) as running:
        yield running


def text_of(lane: str) -> str:
    return whole_text(lane, Behaviour())


async def streamed(client: AsyncOpenAI, model: str, **asked: Any) -> tuple[list[Any], Response]:
    async with client.responses.stream(model=model, input="hello", **asked) as stream:
        events = [event async for event in stream]
        return events, await stream.get_final_response()


@BOTH
async def test_response_answers_under_the_name_that_was_asked_for(client: AsyncOpenAI, model: str) -> None:
    reply = await client.responses.create(model=model, input="hello", instructions="be brief")

    assert (reply.output_text, reply.model, reply.status) == (text_of(model), model, "completed")
    assert reply.usage is not None
    assert (reply.usage.input_tokens, reply.usage.input_tokens_details.cached_tokens) == (INPUT_TOKENS, 3)


@BOTH
async def test_stream_is_summed_up_to_the_whole_response(client: AsyncOpenAI, model: str) -> None:
    events, final = await streamed(client, model)

    assert final.output_text == text_of(model)
    assert final.model == model
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == text_of(model)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert final.usage is not None
    assert final.usage.output_tokens == 4


@BOTH
async def test_call_of_a_function_arrives_whole_and_streamed(
    client: AsyncOpenAI, upstream: ScriptedUpstream, model: str
) -> None:
    upstream.lane(model).queue(Behaviour(tool_call=WEATHER), Behaviour(tool_call=WEATHER))

    whole = await client.responses.create(model=model, input="hello", tools=[TOOL])
    _, final = await streamed(client, model, tools=[TOOL])

    for reply in (whole, final):
        call = reply.output[0]
        assert call.type == "function_call"
        assert (call.name, call.arguments, call.call_id) == (*WEATHER, "call_1")


@BOTH
async def test_answer_is_parsed_to_the_wanted_shape(
    client: AsyncOpenAI, upstream: ScriptedUpstream, model: str
) -> None:
    said = '{"city":"Bern"}'
    upstream.lane(model).queue(Behaviour(chunks=1, mark=said, pad_bytes=len(said)))
    upstream.lane(model).queue(Behaviour(body=_body(model, said)))

    await client.responses.create(model=model, input="hello")
    reply = await client.responses.parse(model=model, input="hello", text_format=City)

    assert reply.output_parsed == City(city="Bern")


def _body(model: str, text: str) -> bytes:
    message = {"id": "m", "type": "message", "role": "assistant", "status": "completed"}
    part = {"type": "output_text", "text": text, "annotations": []}
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    document: dict[str, Any] = {"id": "r", "model": model, "created": 1, "choices": [choice]}
    if model == "native":
        document = {"id": "r", "object": "response", "created_at": 1, "status": "completed", "model": model}
        document |= {"output": [{**message, "content": [part]}], "tools": [], "tool_choice": "auto", "error": None}
    return json.dumps(document).encode()


async def test_native_request_reaches_the_provider_untouched_but_for_the_model(
    client: AsyncOpenAI, upstream: ScriptedUpstream
) -> None:
    sent = {"previous_response_id": "resp_1", "made_up": {"x": [1]}, "max_output_tokens": 7}

    await client.responses.create(model="native", input="hello", extra_body=sent)

    request = upstream.lane("native").requests[-1]
    assert request.path.endswith("/responses")
    assert request.body == {"model": "native", "input": "hello", **sent}


async def test_translated_request_is_a_chat(client: AsyncOpenAI, upstream: ScriptedUpstream) -> None:
    await client.responses.create(
        model="translated", input="hello", max_output_tokens=7, reasoning={"effort": "low"}, store=False
    )

    request = upstream.lane("translated").requests[-1]
    assert request.path.endswith("/chat/completions")
    assert request.body == {
        "model": "translated",
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 7,
        "reasoning_effort": "low",
    }


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"background": True}, "background"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
    ],
)
async def test_what_needs_the_provider_itself_is_refused_by_name(
    client: AsyncOpenAI, asked: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(model="translated", input="hello", **asked)

    assert (refused.value.code, refused.value.param) == ("unsupported_operation", param)


@BOTH
async def test_limit_of_the_provider_is_a_rate_limit_error(
    client: AsyncOpenAI, upstream: ScriptedUpstream, model: str
) -> None:
    upstream.lane(f"{model}-limited").default = failing(429, "slow down", retry_after="1")

    with pytest.raises(openai.RateLimitError) as refused:
        await client.responses.create(model=f"{model}-limited", input="hello")

    assert refused.value.response.headers["retry-after"] == "1"


@BOTH
async def test_refusal_of_the_provider_is_a_bad_request(
    client: AsyncOpenAI, upstream: ScriptedUpstream, model: str
) -> None:
    upstream.lane(model).queue(failing(400, "too odd"))

    with pytest.raises(openai.BadRequestError, match="too odd"):
        await client.responses.create(model=model, input="hello")


@BOTH
@pytest.mark.parametrize("end", [Ending.ERROR_EVENT, Ending.SILENT_END, Ending.FIN])
async def test_stream_that_breaks_raises(
    client: AsyncOpenAI, upstream: ScriptedUpstream, model: str, end: Ending
) -> None:
    upstream.lane(model).queue(ending(end, after=2))
    told: list[str] = []

    async def read() -> None:
        async for event in await client.responses.create(model=model, input="hello", stream=True):
            told.extend([event.delta] if event.type == "response.output_text.delta" else [])

    with pytest.raises(openai.APIError) as broken:
        await read()

    assert broken.value.code == "upstream_error"
    assert len(told) == 2
    assert text_of(model).startswith("".join(told))


@pytest.mark.parametrize(
    ("model", "fails", "serves"),
    [
        ("crossing", "crossing-native", "crossing-translated"),
        ("crossing-back", "back-translated", "back-native"),
    ],
)
@pytest.mark.parametrize("after", [None, 0])
async def test_failover_crosses_dialects(
    client: AsyncOpenAI, upstream: ScriptedUpstream, model: str, fails: str, serves: str, after: int | None
) -> None:
    upstream.lane(fails).queue(failing(500) if after is None else ending(Ending.ERROR_EVENT, after=after))

    _, final = await streamed(client, model)

    assert final.output_text == text_of(serves)
    assert final.model == model


@pytest.mark.parametrize("model", ["cached", "cached-native"])
async def test_stream_and_whole_reply_share_what_is_kept(
    client: AsyncOpenAI, upstream: ScriptedUpstream, model: str
) -> None:
    _, first = await streamed(client, model, temperature=0)
    whole = await client.responses.with_raw_response.create(model=model, input="hello", temperature=0)
    _, again = await streamed(client, model, temperature=0)

    assert whole.headers["x-cache"] == "HIT"
    kept = whole.parse()
    assert kept.output_text == first.output_text == again.output_text == text_of(model)
    assert kept.id == first.id == again.id
    assert len(upstream.lane(model).requests) == 1


async def test_echo_has_responses(client: AsyncOpenAI) -> None:
    _, final = await streamed(client, "echo")

    assert final.output_text == "hello"
