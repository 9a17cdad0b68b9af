"""A provider's adapter tells whether anything of a call has left: what was given up before it had costs nothing."""

import asyncio

import pytest

from adapters.outbound.providers.openai_compatible import OpenAICompatibleProvider
from adapters.outbound.providers.openai_config import OpenAICompatibleConfig
from domain.failure import ProviderFailed
from tests.integration.providers.calls import call
from tests.integration.providers.loopback import Connection
from tests.integration.providers.scripted import opened, serve
from tests.ports import free_port


async def test_a_call_that_is_answered_has_left() -> None:
    async with opened(serve) as (provider, _, _):
        asked = call()
        assert asked.departure.has_left is None

        await provider.complete(asked)

        assert asked.departure.has_left


async def test_a_call_that_is_given_up_while_it_connects_has_not_left() -> None:
    async with opened(serve) as (provider, server, _):
        asked = call()
        asking = asyncio.ensure_future(provider.complete(asked))
        await asyncio.sleep(0)

        asking.cancel()
        await asyncio.wait([asking])

        assert asking.cancelled()
        assert asked.departure.has_left is False
        assert all(not connection.head for connection in server.connections)


async def test_a_call_that_is_given_up_while_it_waits_for_an_answer_has_left() -> None:
    arrived = asyncio.Event()

    async def never_answer(connection: Connection) -> None:
        await connection.read_request()
        arrived.set()
        await asyncio.Event().wait()

    async with opened(never_answer) as (provider, _, _):
        asked = call()
        asking = asyncio.ensure_future(provider.complete(asked))
        await arrived.wait()

        asking.cancel()
        await asyncio.wait([asking])

        assert asked.departure.has_left


async def test_a_call_that_finds_nobody_has_not_left() -> None:
    async with opened(serve) as (_, _, transport):
        nowhere = OpenAICompatibleConfig("custom", base_url=f"http://127.0.0.1:{free_port()}/v1", api_key="sk")
        asked = call()

        with pytest.raises(ProviderFailed):
            await OpenAICompatibleProvider(nowhere, transport).complete(asked)

        assert asked.departure.has_left is False
