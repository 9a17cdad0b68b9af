"""The official client through the gateway: what applications do all day."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from openai import AsyncAzureOpenAI, AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionFunctionToolParam, ChatCompletionUserMessageParam

from tests.e2e.behaviour import Behaviour
from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway
from tests.e2e.openai_wire import INPUT_TOKENS, VECTOR, whole_text
from tests.e2e.scripted_upstream import ScriptedUpstream

pytestmark = pytest.mark.asyncio(loop_scope="module")

USER: ChatCompletionUserMessageParam = {"role": "user", "content": "hello"}
WEATHER = ("weather", '{"city":"Zürich","days":[1,2,3]}')
TOOL: ChatCompletionFunctionToolParam = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    models = [
        instance("talker", upstream.base_url, "lane-talker"),
        instance("caller", upstream.base_url, "lane-caller"),
    ]
    upstream.lane("lane-caller").default = Behaviour(tool_call=WEATHER)
    route = {"name": "Smart", "slug": "smart", "models": [{"model_name": "talker"}]}
    document = configuration(models, model_aliases={"talker-latest": "talker"}, routes=[route])
    async with running_gateway(document, tmp_path_factory.mktemp("sdk")) as running:
        yield running


@pytest.fixture
def text() -> str:
    return whole_text("lane-talker", Behaviour())


@pytest.mark.parametrize("name", ["talker", "talker-latest", "smart"])
async def test_chat_answers_under_the_name_that_was_asked_for(client: AsyncOpenAI, text: str, name: str) -> None:
    raw = await client.chat.completions.with_raw_response.create(model=name, messages=[USER])
    reply = raw.parse()

    assert reply.choices[0].message.content == text
    assert reply.model == name
    assert reply.usage is not None
    assert reply.usage.total_tokens == INPUT_TOKENS + 4
    assert raw.headers["x-moongate-instance"] == "lane-talker"
    assert raw.headers["x-moongate-model"] == "talker"
    assert raw.headers["x-moongate-attempts"] == "1"
    assert len(raw.headers["x-request-id"]) == len("01890a5d-ac96-774b-bcce-b302099a8057")


async def test_chat_answers_the_synchronous_client(gateway: Gateway, text: str) -> None:
    def ask() -> str | None:
        with OpenAI(base_url=f"http://127.0.0.1:{gateway.port}/v1", api_key=gateway.key, max_retries=0) as client:
            reply = client.chat.completions.create(model="talker", messages=[USER])
            return reply.choices[0].message.content

    assert await asyncio.to_thread(ask) == text


async def test_chat_answers_azure_style_paths(gateway: Gateway, text: str) -> None:
    async with AsyncAzureOpenAI(
        azure_endpoint=f"http://127.0.0.1:{gateway.port}", api_key=gateway.key, api_version="2024-10-21", max_retries=0
    ) as client:
        reply = await client.chat.completions.create(model="talker", messages=[USER])

    assert reply.choices[0].message.content == text
    assert reply.model == "talker"


async def test_request_reaches_the_provider_untouched_but_for_the_model(
    client: AsyncOpenAI, upstream: ScriptedUpstream
) -> None:
    sent = {
        "parallel_tool_calls": False,
        "logprobs": True,
        "stop": "END",
        "max_completion_tokens": 7,
        "made_up": {"x": [1]},
    }

    await client.chat.completions.create(model="talker", messages=[USER], extra_body=sent)

    last = upstream.lane("lane-talker").requests[-1]
    assert last.body == {"model": "lane-talker", "messages": [USER], **sent}
    assert last.headers["authorization"] == "Bearer upstream-secret"


async def test_client_credentials_never_reach_the_provider(gateway: Gateway, upstream: ScriptedUpstream) -> None:
    headers = {"x-api-key": gateway.key, "x-forwarded-for": "203.0.113.9", "cookie": "session=secret"}

    await gateway.chat("talker", headers=headers)

    last = upstream.lane("lane-talker").requests[-1]
    assert not {"x-api-key", "x-forwarded-for", "cookie"} & set(last.headers)
    assert gateway.key not in str(last.headers)


async def test_stream_brings_every_chunk_under_the_name_that_was_asked_for(client: AsyncOpenAI, text: str) -> None:
    stream = await client.chat.completions.create(model="smart", messages=[USER], stream=True)
    chunks = [chunk async for chunk in stream]

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == text
    assert {chunk.model for chunk in chunks} == {"smart"}
    assert chunks[-1].choices[0].finish_reason == "stop"


async def test_stream_has_usage_where_the_client_asks_for_it(client: AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(
        model="talker",
        messages=[USER],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]

    assert chunks[-1].usage is not None
    assert chunks[-1].usage.prompt_tokens == INPUT_TOKENS
    assert chunks[-1].choices == []


async def test_stream_has_no_usage_chunk_where_the_client_did_not_ask(gateway: Gateway) -> None:
    reply = await gateway.chat("talker", stream=True)

    assert reply.complete
    assert reply.events()[-1] == "[DONE]"
    assert b'"usage":{' not in reply.body
    assert b'"choices":[]' not in reply.body


async def test_tool_calls_come_back_whole(client: AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(model="caller", messages=[USER], tools=[TOOL])

    calls = reply.choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].type == "function"
    assert (calls[0].function.name, calls[0].function.arguments) == WEATHER
    assert reply.choices[0].finish_reason == "tool_calls"


async def test_tool_call_deltas_add_up_in_a_stream(client: AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(model="caller", messages=[USER], tools=[TOOL], stream=True)
    chunks = [chunk async for chunk in stream]

    deltas = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    assert deltas[0].function is not None
    assert deltas[0].function.name == WEATHER[0]
    assert "".join(call.function.arguments or "" for call in deltas if call.function) == WEATHER[1]
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


async def test_embeddings_come_back_as_vectors(client: AsyncOpenAI, upstream: ScriptedUpstream) -> None:
    reply = await client.embeddings.create(model="talker", input=["one", "two"])

    assert [entry.embedding for entry in reply.data] == [list(VECTOR)] * 2
    assert reply.model == "talker"
    assert upstream.lane("lane-talker").requests[-1].body["model"] == "lane-talker"


async def test_completions_answer_plain_and_streamed(client: AsyncOpenAI, text: str) -> None:
    plain = await client.completions.create(model="talker", prompt="x")
    stream = await client.completions.create(model="talker", prompt="x", stream=True)

    assert plain.choices[0].text == text
    assert "".join([chunk.choices[0].text async for chunk in stream if chunk.choices]) == text


async def test_models_lists_models_aliases_and_routes(client: AsyncOpenAI) -> None:
    found = {model.id async for model in client.models.list()}

    assert {"talker", "caller", "talker-latest", "smart"} <= found
    assert "lane-talker" not in found


@pytest.mark.parametrize("name", ["talker", "talker-latest", "smart"])
async def test_models_retrieves_one_by_its_name(client: AsyncOpenAI, name: str) -> None:
    model = await client.models.retrieve(name)

    assert model.id == name
    assert model.object == "model"
    assert model.created > 0
    assert model.owned_by
