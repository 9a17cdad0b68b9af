"""Anthropic's official client through the gateway, served by upstreams that only know OpenAI's dialect."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import pytest
import pytest_asyncio
from anthropic import AsyncAnthropic
from anthropic.types import Message, MessageParam, ToolParam, ToolUseBlock

from tests.e2e.behaviour import Behaviour, Ending, ending, failing
from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway
from tests.e2e.openai_wire import INPUT_TOKENS, whole_text
from tests.e2e.scripted_upstream import ScriptedUpstream

pytestmark = pytest.mark.asyncio(loop_scope="module")

USER: MessageParam = {"role": "user", "content": "hello"}
GIVEN = {"city": "Zürich", "days": [1, 2, 3]}
TOOL: ToolParam = {"name": "weather", "input_schema": {"type": "object", "properties": {}}}
MODELS = ("talker", "caller", "picky", "limited", "breaks", "broken", "torn", "kept", "kept-calls")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    models = [instance(name, upstream.base_url) for name in MODELS]
    models.append(instance("spare", upstream.base_url, "spare-dead", priority=100))
    models.append(instance("spare", upstream.base_url, "spare-alive"))
    upstream.lane("caller").default = Behaviour(tool_call=("weather", json.dumps(GIVEN)))
    upstream.lane("torn").default = Behaviour(byte_by_byte=True)
    upstream.lane("limited").default = failing(429, "slow down", retry_after="20")
    upstream.lane("broken").default = failing(500, "at 10.1.2.3")
    upstream.lane("breaks").default = ending(Ending.RST, 2)
    router = {"circuit_breaker": {"open_duration": "60s", "consecutive_failures": 3}}
    upstream.lane("kept-calls").default = Behaviour(tool_call=("weather", json.dumps(GIVEN)))
    document = configuration(models, router=router, cache={"enabled": True})
    async with running_gateway(document, tmp_path_factory.mktemp("anthropic")) as running:
        yield running


def texts_of(message: Message) -> list[str]:
    assert {block.type for block in message.content} == {"text"}
    return [block.text for block in message.content if block.type == "text"]


async def test_a_message_is_answered_under_the_name_that_was_asked_for(claude: AsyncAnthropic) -> None:
    raw = await claude.messages.with_raw_response.create(model="talker", max_tokens=50, messages=[USER])
    reply = await raw.parse()

    assert [(block.type, getattr(block, "text", None)) for block in reply.content] == [
        ("text", whole_text("talker", Behaviour()))
    ]
    assert (reply.model, reply.stop_reason, reply.role) == ("talker", "end_turn", "assistant")
    usage = reply.usage
    assert (usage.input_tokens + (usage.cache_read_input_tokens or 0), usage.output_tokens) == (INPUT_TOKENS, 4)
    assert raw.headers["x-moongate-instance"] == "talker"
    assert raw.headers["request-id"] == raw.headers["x-request-id"]


async def test_the_upstream_is_asked_in_its_own_dialect(claude: AsyncAnthropic, upstream: ScriptedUpstream) -> None:
    await claude.messages.create(
        model="talker",
        max_tokens=50,
        system="Be brief.",
        stop_sequences=["END"],
        messages=[USER],
        extra_body={"temperature": 0.5},
    )

    asked = upstream.lane("talker").requests[-1]
    assert asked.path == "/v1/chat/completions"
    assert asked.body == {
        "messages": [{"role": "system", "content": "Be brief."}, USER],
        "max_tokens": 50,
        "temperature": 0.5,
        "stop": ["END"],
        "model": "talker",
    }


@pytest.mark.parametrize("model", ["talker", "torn"])
async def test_a_stream_says_what_a_whole_message_says(claude: AsyncAnthropic, model: str) -> None:
    async with claude.messages.stream(model=model, max_tokens=50, messages=[USER]) as stream:
        texts = [text async for text in stream.text_stream]
        streamed = await stream.get_final_message()
    whole = await claude.messages.create(model=model, max_tokens=50, messages=[USER])

    assert len(texts) == 4
    assert texts_of(streamed) == texts_of(whole) == ["".join(texts)]
    assert (streamed.stop_reason, streamed.usage) == (whole.stop_reason, whole.usage)


async def test_a_tool_is_called_whole_and_in_a_stream(claude: AsyncAnthropic, upstream: ScriptedUpstream) -> None:
    whole = await claude.messages.create(model="caller", max_tokens=50, messages=[USER], tools=[TOOL])
    async with claude.messages.stream(model="caller", max_tokens=50, messages=[USER], tools=[TOOL]) as stream:
        streamed = await stream.get_final_message()

    for reply in (whole, streamed):
        assert reply.stop_reason == "tool_use"
        call = reply.content[0]
        assert isinstance(call, ToolUseBlock)
        assert (call.id, call.name, call.input) == ("call_1", "weather", GIVEN)
    result: MessageParam = {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "sunny"}],
    }
    await claude.messages.create(model="caller", max_tokens=50, messages=[USER, whole.to_param(), result], tools=[TOOL])
    messages = upstream.lane("caller").requests[-1].body["messages"]
    assert isinstance(messages, list)
    assert [message["role"] for message in messages] == ["user", "assistant", "tool"]
    assert json.loads(messages[1]["tool_calls"][0]["function"]["arguments"]) == GIVEN


async def test_tokens_are_counted_without_asking_the_upstream(
    claude: AsyncAnthropic, upstream: ScriptedUpstream
) -> None:
    before = len(upstream.lane("talker").requests)
    raw = await claude.messages.with_raw_response.count_tokens(model="talker", messages=[USER])
    assert (await raw.parse()).input_tokens == 2
    assert raw.headers["x-moongate-cost"] == "0"
    assert len(upstream.lane("talker").requests) == before


async def test_a_wrong_key_is_an_authentication_error(gateway: Gateway) -> None:
    async with AsyncAnthropic(base_url=f"http://127.0.0.1:{gateway.port}", api_key="sk-wrong", max_retries=0) as claude:
        with pytest.raises(anthropic.AuthenticationError) as refused:
            await claude.messages.create(model="talker", max_tokens=5, messages=[USER])
    assert refused.value.request_id
    assert refused.value.type == "authentication_error"


async def test_an_unknown_model_is_a_not_found_error(claude: AsyncAnthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="no-such-model") as refused:
        await claude.messages.create(model="no-such-model", max_tokens=5, messages=[USER])
    assert refused.value.type == "not_found_error"


async def test_what_no_chat_can_express_is_a_bad_request_that_names_it(claude: AsyncAnthropic) -> None:
    with pytest.raises(anthropic.BadRequestError, match="container") as refused:
        await claude.messages.create(model="talker", max_tokens=5, messages=[USER], extra_body={"container": "c"})
    assert isinstance(refused.value.body, dict)
    assert refused.value.body["error"]["code"] == "unsupported_operation"
    assert refused.value.body["error"]["param"] == "container"


async def test_a_providers_refusal_keeps_its_message(claude: AsyncAnthropic, upstream: ScriptedUpstream) -> None:
    upstream.lane("picky").queue(failing(400, "not like this", code="odd"))
    with pytest.raises(anthropic.BadRequestError, match="not like this"):
        await claude.messages.create(model="picky", max_tokens=5, messages=[USER])


async def test_a_rate_limit_everywhere_is_a_rate_limit_error(claude: AsyncAnthropic) -> None:
    with pytest.raises(anthropic.RateLimitError, match="slow down") as refused:
        await claude.messages.create(model="limited", max_tokens=5, messages=[USER])
    assert refused.value.type == "rate_limit_error"
    assert 1 <= int(refused.value.response.headers["retry-after"]) <= 20


async def test_a_failing_provider_is_a_server_error_without_its_words(claude: AsyncAnthropic) -> None:
    with pytest.raises(anthropic.InternalServerError) as refused:
        await claude.messages.create(model="broken", max_tokens=5, messages=[USER])
    assert (refused.value.status_code, refused.value.type) == (502, "api_error")


async def test_a_stream_that_breaks_in_the_middle_ends_with_an_error(claude: AsyncAnthropic) -> None:
    texts: list[str] = []

    async def read() -> None:
        async with claude.messages.stream(model="breaks", max_tokens=50, messages=[USER]) as stream:
            async for text in stream.text_stream:
                texts.append(text)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(anthropic.APIStatusError, match="broke off") as broken:
        await read()
    assert len(texts) == 2
    assert isinstance(broken.value.body, dict)
    assert broken.value.body["error"]["type"] == "api_error"


@pytest.mark.parametrize("behaviour", [failing(503), ending(Ending.RST, 0)])
async def test_a_stream_goes_to_another_instance_before_its_first_content(
    claude: AsyncAnthropic, upstream: ScriptedUpstream, behaviour: Behaviour
) -> None:
    upstream.lane("spare-dead").queue(behaviour)
    async with claude.messages.stream(model="spare", max_tokens=50, messages=[USER]) as stream:
        reply = await stream.get_final_message()

    assert [(block.type, getattr(block, "text", None)) for block in reply.content] == [
        ("text", whole_text("spare-alive", Behaviour()))
    ]
    assert stream.response.headers["x-moongate-attempts"] == "2"


@pytest.mark.parametrize("model", ["kept", "kept-calls"])
@pytest.mark.parametrize("first_streams", [True, False], ids=["stream first", "whole first"])
async def test_stream_and_whole_message_share_what_is_kept(
    claude: AsyncAnthropic, upstream: ScriptedUpstream, model: str, first_streams: bool
) -> None:
    asked: Any = {
        "model": model,
        "max_tokens": 50,
        "messages": [{"role": "user", "content": f"hello, {first_streams}"}],
        "extra_body": {"temperature": 0},
    }

    async def streamed() -> Message:
        async with claude.messages.stream(**asked) as stream:
            final = await stream.get_final_message()
        # Without what the client adds to the blocks of a stream.
        return Message.model_validate(final.model_dump(exclude={"content": {"__all__": {"parsed_output"}}}))

    async def whole() -> Message:
        message: Message = await claude.messages.create(**asked)
        return message

    before = len(upstream.lane(model).requests)
    first = await (streamed() if first_streams else whole())
    others = [await whole(), await streamed()]

    assert [other.content for other in others] == [first.content] * 2
    assert [(other.id, other.stop_reason, other.model) for other in others] == [
        (first.id, first.stop_reason, model)
    ] * 2
    assert {other.usage.output_tokens for other in others} == {first.usage.output_tokens}
    assert len(upstream.lane(model).requests) == before + 1
