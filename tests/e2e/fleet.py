"""Several gateway processes that share a Redis and a key, as one client sees them behind a load balancer."""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.e2e import raw_http
from tests.e2e.gateway_process import START_S, Gateway, configuration, start_gateway, tail, until_ready

WITHIN_S = 60.0
T = TypeVar("T")


# Tests of what is decided must not fail because a busy machine is slow to decide it.
PATIENT = {"command_timeout": "5s", "connect_timeout": "5s"}


@dataclass
class Fleet:
    """The running gateways, in the order they were started. A killed one leaves the list."""

    document: Mapping[str, object]
    folder: Path
    key: str = field(default_factory=lambda: f"sk-test-{secrets.token_hex(16)}")
    gateways: list[Gateway] = field(default_factory=list)
    _turns: "itertools.count[int]" = field(default_factory=itertools.count)
    _started: list[Gateway] = field(default_factory=list)

    async def start(self, more: int = 1) -> None:
        """Starts that many gateways and waits until they are ready."""
        fresh = [self._begin() for _ in range(more)]
        # They start at once, on as few cores as there are.
        await asyncio.gather(*(until_ready(gateway, START_S * more) for gateway in fresh))
        self.gateways += fresh

    async def at_least(self, size: int) -> "list[Gateway]":
        """The gateways; others are started in the place of killed ones, where fewer are left."""
        await self.start(max(0, size - len(self.gateways)))
        return self.gateways

    def next(self) -> Gateway:
        """One after the other."""
        return self.gateways[next(self._turns) % len(self.gateways)]

    async def chat(self, model: str, *, stream: bool = False) -> raw_http.RawReply:
        """One request to the next gateway."""
        return await self.next().chat(model, stream=stream)

    async def spread(self, model: str, count: int, *, connections: int = 4) -> list[raw_http.RawReply]:
        """`count` chat requests, evenly over all gateways, over `connections` kept connections to each.

        The replies come in no order. A connection that a gateway closes is opened again.
        """
        shares = [_share(count, number, len(self.gateways)) for number in range(len(self.gateways))]
        runs = [
            _run(gateway, model, _share(share, number, connections))
            for gateway, share in zip(self.gateways, shares, strict=True)
            for number in range(connections)
        ]
        async with asyncio.timeout(WITHIN_S):
            return [reply for replies in await asyncio.gather(*runs) for reply in replies]

    async def each(self, ask: Callable[[Gateway], Awaitable[T]]) -> list[T]:
        """What every gateway says, asked at once, in their order."""
        return list(await asyncio.gather(*(ask(gateway) for gateway in self.gateways)))

    async def instances(self, gateway: Gateway | None = None) -> dict[str, dict[str, object]]:
        """`GET /admin/v1/instances` of one gateway, by instance id."""
        asked = gateway or self.next()
        reply = await raw_http.exchange(asked.port, asked.get("/admin/v1/instances"))
        return {shown["id"]: shown for shown in reply.json()["data"]}

    async def control(self, instance_id: str, verb: str, body: bytes = b"") -> raw_http.RawReply:
        """`POST /admin/v1/instances/{id}/{verb}` to the next gateway."""
        asked = self.next()
        return await raw_http.exchange(asked.port, asked.post(f"/admin/v1/instances/{instance_id}/{verb}", body))

    def kill(self, number: int = 0) -> Gateway:
        """kill -9: no drain, no goodbye."""
        killed = self.gateways.pop(number)
        killed.process.kill()
        killed.process.wait()
        return killed

    def end(self) -> None:
        """Leaves no process behind."""
        for gateway in self._started:
            if gateway.process.poll() is None:
                gateway.process.kill()
                gateway.process.wait()

    def _begin(self) -> Gateway:
        own = self.folder / f"gateway-{len(self._started)}"
        own.mkdir()
        self._started.append(start_gateway(self.document, own, key=self.key))
        return self._started[-1]


def fleet_configuration(
    redis_url: str,
    model_list: Sequence[Mapping[str, object]],
    *,
    router: Mapping[str, object] | None = None,
    redis: Mapping[str, object] | None = None,
    **sections: object,
) -> dict[str, object]:
    """A gateway's configuration in full mode without Postgres. `redis` may add keys to that section."""
    section = {"url": redis_url, **PATIENT, **(redis or {})}
    return configuration(model_list, router=router, mode="full", state="redis", redis=section, **sections)


@asynccontextmanager
async def running_fleet(document: Mapping[str, object], size: int, folder: Path) -> AsyncIterator[Fleet]:
    """`size` gateways with one configuration and one key; those that still run at the end must exit cleanly."""
    fleet = Fleet(document, folder)
    try:
        await fleet.start(size)
        yield fleet
        for gateway in fleet.gateways:
            gateway.terminate()
        for gateway, status in zip(fleet.gateways, await fleet.each(Gateway.exited), strict=True):
            assert status == 0, f"exit status {status}:\n{tail(gateway)}"
    finally:
        fleet.end()


async def _run(gateway: Gateway, model: str, count: int) -> list[raw_http.RawReply]:
    """`count` requests, one after the other."""
    request = gateway.post("/v1/chat/completions", raw_http.chat(model))
    replies: list[raw_http.RawReply] = []
    while len(replies) < count:
        async with raw_http.RawConnection(gateway.port) as connection:
            while len(replies) < count:
                await connection.send(request)
                replies.append(await connection.reply())
                if replies[-1].headers.get("connection") == "close":
                    break
    return replies


def _share(count: int, number: int, among: int) -> int:
    """What falls to `number` (from 0) when `count` is dealt out `among` equals."""
    return count // among + (number < count % among)
