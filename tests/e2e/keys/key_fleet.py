"""Gateways that share a Valkey and a Postgres, and keys made through their admin API."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg  # type: ignore[import-untyped]

from application.change_feed import FOLLOW_EVERY_US
from tests.e2e import raw_http
from tests.e2e.fleet import Fleet, fleet_configuration, running_fleet
from tests.e2e.gateway_process import Gateway
from tests.servers.postgres_servers import PostgresServer

HEARD_WITHIN_S = 4 * FOLLOW_EVERY_US / 1e6
CHAT = "/v1/chat/completions"


class Key(NamedTuple):
    """A virtual key that was just made."""

    id: str
    secret: str


@dataclass(frozen=True, slots=True)
class KeyFleet:
    """The gateways, and their stores."""

    fleet: Fleet
    database_url: str
    redis_url: str

    @property
    def gateways(self) -> Sequence[Gateway]:
        """In the order in which they were started."""
        return self.fleet.gateways

    async def admin(
        self, method: str, path: str, body: Mapping[str, object] | None = None, *, at: Gateway | None = None
    ) -> raw_http.RawReply:
        """What one gateway answers the master key under `/admin/v1`."""
        return await admin(at or self.gateways[0], method, path, body)

    async def made(self, path: str, **fields: object) -> dict[str, Any]:
        """What a POST there has created."""
        reply = await self.admin("POST", path, fields)
        assert reply.status == 201, reply.body
        found: dict[str, Any] = reply.json()
        return found

    async def key(self, **fields: object) -> Key:
        """A new key, made by the first gateway."""
        found = await self.made("/keys", **{"name": "k", **fields})
        return Key(found["id"], found["key"])

    async def changed(self, path: str, method: str = "PATCH", **fields: object) -> dict[str, Any]:
        """An item after a change."""
        reply = await self.admin(method, path, fields)
        assert reply.status in {200, 204}, reply.body
        return {} if reply.status == 204 else dict(reply.json())

    async def keep(self, *secrets: str, model: str = "gpt") -> None:
        """Returns when every gateway keeps these keys, with nothing on its way that would make it ask again.

        What a key's own making tells the gateways drops it once more, a quarter of a second later.
        """
        await asyncio.sleep(HEARD_WITHIN_S)
        for secret in secrets:
            assert {reply.status for reply in await self.everywhere(secret, model)} == {200}

    async def everywhere(self, secret: str, model: str = "gpt") -> list[raw_http.RawReply]:
        """What each gateway answers that key."""
        return await self.fleet.each(lambda gateway: ask(gateway, secret, model))


async def admin(
    gateway: Gateway, method: str, path: str, body: Mapping[str, object] | None = None, *, key: str | None = None
) -> raw_http.RawReply:
    """What a gateway answers under `/admin/v1`, the master key unless told otherwise."""
    data = b"" if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {key or gateway.key}"}
    request = raw_http.post(f"/admin/v1{path}", data, headers).replace(b"POST", method.encode(), 1)
    return await raw_http.exchange(gateway.port, request)


async def ask(
    gateway: Gateway, secret: str, model: str = "gpt", headers: Mapping[str, str] | None = None, **more: Any
) -> raw_http.RawReply:
    """One small chat request with that key."""
    body = raw_http.chat(model, **more)
    request = raw_http.post(CHAT, body, {"authorization": f"Bearer {secret}", **(headers or {})})
    return await raw_http.exchange(gateway.port, request)


@asynccontextmanager
async def key_fleet(
    redis_url: str,
    database_url: str,
    model_list: Sequence[Mapping[str, object]],
    folder: Path,
    *,
    size: int = 2,
    **sections: Any,
) -> AsyncIterator[KeyFleet]:
    """`size` gateways on those stores."""
    document = fleet_configuration(redis_url, model_list, database={"url": database_url}, **sections)
    document["state"] = "auto"
    async with running_fleet(document, size, folder) as fleet:
        yield KeyFleet(fleet, database_url, redis_url)


async def rows(database_url: str, question: str, *arguments: object) -> list[dict[str, Any]]:
    """What the database says."""
    connection = await asyncpg.connect(database_url)
    try:
        return [dict(row) for row in await connection.fetch(question, *arguments)]
    finally:
        await connection.close()


@contextmanager
def own_postgres() -> Iterator[PostgresServer]:
    """A server that may be killed and frozen; gateways make their tables themselves."""
    server = PostgresServer()
    try:
        yield server
    finally:
        server.close()


@asynccontextmanager
async def stuck_inserts(database_url: str) -> AsyncIterator[None]:
    """Nobody can write to the ledger meanwhile."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("BEGIN; LOCK TABLE ledger IN ACCESS EXCLUSIVE MODE")
        yield
    finally:
        connection.terminate()  # the server may be gone by now


async def somebody_waits(database_url: str, count: int = 1) -> bool:
    """Whether so many inserts have begun, and hang."""
    (waiting,) = await rows(database_url, "SELECT count(*) AS number FROM pg_locks WHERE NOT granted")
    return int(waiting["number"]) >= count
