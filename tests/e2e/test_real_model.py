"""A real model behind two instances; one is killed while requests are under way, and no client notices."""

import asyncio
import subprocess
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from openai import AsyncOpenAI

from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway
from tests.e2e.real_model import model_server, until_it_serves
from tests.e2e.support import eventually
from tests.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLIENTS = 3
REQUESTS_EACH = 6


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def servers() -> AsyncIterator[dict[int, subprocess.Popen[bytes]]]:
    first, second = free_port(), free_port()
    with model_server(first) as one, model_server(second) as other:
        await until_it_serves(first)
        await until_it_serves(second)
        yield {first: one, second: other}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(
    servers: dict[int, subprocess.Popen[bytes]], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    models = []
    for index, port in enumerate(servers):
        entry = instance("small", f"http://127.0.0.1:{port}/v1", "smollm2")
        models.append(entry | {"id": f"small-{index}"})
    document = configuration(models, router={"routing_strategy": "weighted-round-robin"})
    async with running_gateway(document, tmp_path_factory.mktemp("real")) as running:
        yield running


async def ask(client: AsyncOpenAI) -> str:
    reply = await client.chat.completions.create(
        model="small", messages=[{"role": "user", "content": "Say hello."}], max_tokens=8, temperature=0
    )
    assert reply.model == "small"
    assert reply.usage is not None
    assert reply.usage.completion_tokens > 0
    return reply.choices[0].message.content or ""


async def stream(client: AsyncOpenAI) -> str:
    chunks = await client.chat.completions.create(
        model="small", messages=[{"role": "user", "content": "Say hello."}], max_tokens=8, temperature=0, stream=True
    )
    return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices])


async def test_real_model_chats_and_streams_through_both_instances(client: AsyncOpenAI) -> None:
    answers = {await ask(client) for _ in range(2)} | {await stream(client) for _ in range(2)}

    assert len(answers) == 1  # temperature 0: the same words, plain or streamed, from either instance
    assert answers.pop().strip()


async def test_killed_instance_goes_unnoticed_by_every_client(
    client: AsyncOpenAI, servers: dict[int, subprocess.Popen[bytes]]
) -> None:
    answered = 0

    async def talk() -> None:
        nonlocal answered
        for _ in range(REQUESTS_EACH):
            assert (await ask(client)).strip()
            answered += 1

    talking = asyncio.gather(*(talk() for _ in range(CLIENTS)))
    await eventually(lambda: answered >= CLIENTS, within_s=60, what="the first answers are in")
    next(iter(servers.values())).kill()
    await talking

    assert answered == CLIENTS * REQUESTS_EACH
    assert (await stream(client)).strip()
