"""A real model behind its own OpenAI and Anthropic dialects, asked by both official clients: all say the same."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway
from tests.e2e.real_model import model_server, until_it_serves
from tests.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODELS = ("as-openai", "as-anthropic")
each_model = pytest.mark.parametrize("model", MODELS)
TOKENS = 8
USER: Any = [{"role": "user", "content": "Say hello."}]
SHORT: Any = {"max_tokens": TOKENS, "messages": USER}
COLD: Any = {**SHORT, "extra_body": {"temperature": 0}}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    taken = free_port()
    with model_server(taken):
        yield taken


def anthropic_instance(model: str, port: int, **more: object) -> dict[str, object]:
    provider = {"type": "anthropic", "model": "smollm2", "base_url": f"http://127.0.0.1:{port}", "api_key": "k"}
    return {"model_name": model, "id": f"{model}-anthropic", "provider": provider, **more}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(port: int, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    await until_it_serves(port)
    as_openai = f"http://127.0.0.1:{port}/v1"
    models = [
        instance("as-openai", as_openai, "smollm2"),
        anthropic_instance("as-anthropic", port),
        anthropic_instance("crossing", free_port(), priority=2),
        {**instance("crossing", as_openai, "smollm2"), "id": "crossing-openai", "priority": 1},
        {**instance("crossing-back", f"http://127.0.0.1:{free_port()}/v1", "smollm2"), "id": "b", "priority": 2},
        anthropic_instance("crossing-back", port, priority=1),
    ]
    async with running_gateway(configuration(models), tmp_path_factory.mktemp("dialects")) as running:
        yield running


async def chat(client: AsyncOpenAI, model: str, **more: Any) -> tuple[str, str, int, int]:
    """Text, finish reason, tokens in and out."""
    reply = await client.chat.completions.create(model=model, **SHORT, temperature=0, **more)
    assert reply.model == model
    assert reply.usage is not None
    (choice,) = reply.choices
    return choice.message.content or "", choice.finish_reason, reply.usage.prompt_tokens, reply.usage.completion_tokens


async def streamed_chat(client: AsyncOpenAI, model: str) -> tuple[str, str, int, int]:
    stream = await client.chat.completions.create(
        model=model, **SHORT, temperature=0, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    finish = "".join(choice.finish_reason or "" for chunk in chunks for choice in chunk.choices)
    (usage,) = (chunk.usage for chunk in chunks if chunk.usage)
    return text, finish, usage.prompt_tokens, usage.completion_tokens


async def message(claude: AsyncAnthropic, model: str) -> tuple[str, str, int, int]:
    return told(await claude.messages.create(model=model, **COLD))


async def streamed_message(claude: AsyncAnthropic, model: str) -> tuple[str, str, int, int]:
    async with claude.messages.stream(model=model, **COLD) as stream:
        return told(await stream.get_final_message())


def told(message: Any) -> tuple[str, str, int, int]:
    """As `chat`: what came from the cache is counted apart by Anthropic's dialect."""
    usage = message.usage
    finish = {"max_tokens": "length"}.get(message.stop_reason, message.stop_reason)
    tokens = usage.input_tokens + (usage.cache_read_input_tokens or 0)
    return "".join(block.text for block in message.content), finish, tokens, usage.output_tokens


async def test_both_clients_are_told_the_same_by_both_dialects(client: AsyncOpenAI, claude: AsyncAnthropic) -> None:
    answers = {
        (*answer,)
        for model in MODELS
        for answer in (
            await chat(client, model),
            await streamed_chat(client, model),
            await message(claude, model),
            await streamed_message(claude, model),
        )
    }

    ((text, finish, tokens_in, tokens_out),) = answers
    assert text.strip()
    assert (finish, tokens_out) == ("length", TOKENS)
    assert tokens_in == (await claude.messages.count_tokens(model="as-anthropic", messages=USER)).input_tokens


@each_model
async def test_responses_and_completions_are_answered_by_both(client: AsyncOpenAI, model: str) -> None:
    words, _, tokens_in, _ = await chat(client, model)
    asked: Any = {"model": model, "input": "Say hello.", "max_output_tokens": TOKENS, "temperature": 0}

    whole = await client.responses.create(**asked)
    events = [event async for event in await client.responses.create(**asked, stream=True)]

    last: Any = events[-1]
    for reply in (whole, last.response):
        assert (reply.output_text, reply.status, reply.incomplete_details.reason) == (
            words,
            "incomplete",
            "max_output_tokens",
        )
        assert (reply.usage.input_tokens, reply.usage.output_tokens) == (tokens_in, TOKENS)
    completed = await client.completions.create(model=model, prompt="Once upon", max_tokens=TOKENS, temperature=0)
    assert completed.choices[0].text.strip()


@each_model
async def test_a_system_prompt_changes_and_a_stop_sequence_ends_what_is_said(
    client: AsyncOpenAI, claude: AsyncAnthropic, model: str
) -> None:
    plain, *_ = await chat(client, model)
    first_word = plain.split()[0]
    stopped, finish, *_ = await chat(client, model, stop=[plain.split()[2]])
    assert (plain.startswith(stopped), finish) == (True, "stop")
    assert stopped.strip().startswith(first_word)

    system = "Answer in French, and begin with 'Bonjour'."
    told_it = await claude.messages.create(model=model, system=system, **COLD)
    longer: Any = [{"role": "system", "content": system}, *USER]
    reply = await client.chat.completions.create(model=model, messages=longer, max_tokens=TOKENS, temperature=0)
    assert told(told_it)[0] == reply.choices[0].message.content != plain


async def test_a_request_crosses_to_the_other_dialect_where_one_server_is_gone(
    client: AsyncOpenAI, claude: AsyncAnthropic
) -> None:
    expected = await chat(client, "as-openai")

    assert await streamed_message(claude, "crossing") == expected
    assert await message(claude, "crossing") == expected
    assert await streamed_chat(client, "crossing-back") == expected
    assert await chat(client, "crossing-back") == expected
