"""A provider on its real transport in front of a scripted server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.outbound.providers.openai_compatible import OpenAICompatibleProvider
from adapters.outbound.providers.openai_config import OpenAICompatibleConfig
from adapters.outbound.providers.transport import AiohttpUpstream
from tests.integration.providers.loopback import Connection, Loopback, Script, loopback, reply

CHAT = b'{"model":"m","choices":[]}'


@asynccontextmanager
async def opened(script: Script) -> AsyncIterator[tuple[OpenAICompatibleProvider, Loopback, AiohttpUpstream]]:
    async with loopback(script) as server:
        transport = await AiohttpUpstream.open()
        config = OpenAICompatibleConfig("custom", base_url=server.base_url, api_key="sk-our-own-key")
        try:
            yield OpenAICompatibleProvider(config, transport), server, transport
        finally:
            await transport.aclose()


def acquired(transport: AiohttpUpstream) -> int:
    connector = transport._session.connector
    assert connector is not None
    return len(connector._acquired)


def pooled(transport: AiohttpUpstream) -> int:
    connector = transport._session.connector
    assert connector is not None
    return sum(map(len, connector._conns.values()))


async def serve(connection: Connection) -> None:
    while True:
        await connection.read_request()
        await connection.send(reply(CHAT))


async def settled(transport: AiohttpUpstream) -> None:
    """Until no connection is in use: the last bytes of a reply's framing may still be on their way."""
    async with asyncio.timeout(5):
        while acquired(transport):  # noqa: ASYNC110 - aiohttp tells of a released connection by no event
            await asyncio.sleep(0)
