"""Clients that ask a fleet again and again while a test does something to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.e2e import raw_http
from tests.e2e.fleet import Fleet
from tests.e2e.gateway_process import Gateway


@dataclass
class Load:
    """What the clients were answered so far, in the order of arrival."""

    replies: list[raw_http.RawReply] = field(default_factory=list)
    ended: bool = False


@asynccontextmanager
async def load_on(fleet: Fleet, model: str, clients: int, *, pause_s: float = 0.0) -> AsyncIterator[Load]:
    """`clients` clients, dealt out over the gateways, for as long as the block runs; then each hears its last answer.

    Each has one request under way and pauses between two. One whose gateway was killed goes away.
    """
    load = Load()
    gateways = fleet.gateways[:]
    tasks = [
        asyncio.create_task(_ask_on(load, gateways[number % len(gateways)], model, pause_s))
        for number in range(clients)
    ]
    try:
        yield load
        load.ended = True
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def _ask_on(load: Load, gateway: Gateway, model: str, pause_s: float) -> None:
    request = gateway.post("/v1/chat/completions", raw_http.chat(model))
    while not load.ended:
        try:
            async with raw_http.RawConnection(gateway.port) as connection:
                await _ask_over(load, connection, request, pause_s)
        except (OSError, EOFError):
            if gateway.process.poll() is None:
                raise
            return


async def _ask_over(load: Load, connection: raw_http.RawConnection, request: bytes, pause_s: float) -> None:
    while not load.ended:
        await connection.send(request)
        reply = await connection.reply()
        load.replies.append(reply)
        if reply.headers.get("connection") == "close":
            return
        await asyncio.sleep(pause_s)
