"""A provider's adapter tells whether anything of a call has left: what was given up before it had costs nothing."""

import asyncio

import pytest

from domain.failure import ProviderFailed
from tests.integration.providers.calls import call
from tests.integration.providers.loopback import Connection
from tests.integration.providers.scripted import opened, serve


async def _never_answer(connection: Connection) -> None:
    await connection.read_request()
    await asyncio.Event().wait()


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
    async with opened(_never_answer) as (provider, server, _):
        asked = call()
        asking = asyncio.ensure_future(provider.complete(asked))
        while not (server.connections and server.connections[0].body):
            await asyncio.sleep(0)

        asking.cancel()
        await asyncio.wait([asking])

        assert asked.departure.has_left


async def test_a_call_that_finds_nobody_has_not_left() -> None:
    async with opened(serve) as (provider, server, _):
        asked = call()
        server.port = 1
        await server_closed(server)
        with pytest.raises(ProviderFailed):
            await provider.complete(asked)
        assert asked.departure.has_left is False
