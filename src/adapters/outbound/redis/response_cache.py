"""Replies in Redis, which all gateways share. One slot for each scope: `{c:<digest of the scope>}`.

A purge moves a number, the generation, that each reply was stored with: of the scope in its own slot, or of all scopes
(the epoch) in the slot `{c}`. What spans both slots is sent in one pipeline and compared here.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from adapters.outbound.redis.cache_keys import CacheKeys
from adapters.outbound.redis.executor import Now, RedisExecutor, server_time
from adapters.outbound.redis.words import Word, as_text
from application.ports.response_cache import LARGEST_ENTRY_BYTES, ResponseCache
from domain.chat import Usage
from domain.response_cache import (
    LONGEST_TTL_US,
    MODELS_COUNTED,
    OTHER_MODELS,
    CachedReply,
    CacheStats,
    CacheUse,
    Fill,
    FillHeld,
)

_BOOKS_MS = LONGEST_TTL_US // 1_000


class RedisResponseCache:
    """Replies have a TTL; which of them make room for others is the server's `maxmemory-policy`."""

    def __init__(
        self,
        executor: RedisExecutor,
        prefix: str,
        now: Now = server_time,
        max_entry_bytes: int = LARGEST_ENTRY_BYTES,
    ) -> None:
        self._executor = executor
        self._names = CacheKeys(prefix)
        self._now = now
        self._max_entry_bytes = max_entry_bytes
        self._epoch: bytes | None = None

    async def get(self, scope: str, key: str) -> CachedReply | None:
        keys = self._names.of(scope, key, "entry", "generation", "counters", "index", "sizes")
        epoch, found = await asyncio.gather(
            self._executor.command("GET", self._names.epoch),
            self._call("get", keys, scope, key, _BOOKS_MS),
        )
        self._epoch = epoch
        if not found or found[0] != epoch:
            return None
        return _reply(found[1], found[2])

    async def put(self, scope: str, key: str, reply: CachedReply, ttl_us: int, fill: Fill | None = None) -> bool:
        if len(reply.body) > self._max_entry_bytes:
            return False
        if fill is None:
            return await self._store(scope, key, reply, ttl_us, "", await self._enrol(scope), "")
        token, _, epoch = fill.token.partition("/")
        stored, current = await asyncio.gather(
            self._store(scope, key, reply, ttl_us, fill.owner, epoch.encode(), token), self._enrol(scope)
        )
        return stored and current == epoch.encode()

    async def acquire_fill(self, scope: str, key: str, owner: str, ttl_us: int) -> Fill | FillHeld | CachedReply:
        keys = self._names.of(scope, key, "entry", "generation", "fill")
        epoch = self._epoch or await self._enrol(scope)
        while True:
            answer, current = await asyncio.gather(
                self._call("fill_acquire", keys, scope, epoch, owner, ttl_us, _BOOKS_MS), self._enrol(scope)
            )
            match answer:
                case [b"fill", token, expires_us]:
                    return Fill(scope, key, owner, f"{token.decode()}/{current.decode()}", int(expires_us))
                case [b"held", retry_after_us, holder]:
                    return FillHeld(int(retry_after_us), as_text(holder))
                case [_, stored, meta, body] if stored == current:
                    return _reply(meta, body)
            epoch = current  # everything was purged since this process last looked: ask again

    async def abandon_fill(self, fill: Fill) -> bool:
        token = fill.token.partition("/")[0]
        keys = self._names.of(fill.scope, fill.key, "generation", "fill")
        keys.append(self._names.flight(fill.scope, fill.key, fill.owner))
        return bool(await self._call("fill_abandon", keys, fill.owner, token))

    async def purge(self, scope: str | None) -> int:
        if scope is not None:
            return await self._purge_one(scope)
        await self._enrol("", moves=1)
        return sum(await asyncio.gather(*(self._purge_one(name) for name in await self.scopes())))

    async def scopes(self) -> Sequence[str]:
        return [as_text(name) for name in await self._executor.command("ZRANGE", self._names.scopes, 0, -1)]

    async def count(self, scope: str, uses: Mapping[str, CacheUse]) -> None:
        counts = (word for model, use in uses.items() for word in (model, use.hits, use.misses, use.bypasses))
        words = (MODELS_COUNTED, OTHER_MODELS, _BOOKS_MS, *counts)
        counted = self._executor.call("response_cache/count", self._names.of(scope, "", "uses"), words)
        await asyncio.gather(counted, self._enrol(scope))

    async def stats(self, scope: str | None = None) -> CacheStats:
        scopes = await self.scopes() if scope is None else [scope]
        return sum(await asyncio.gather(*(self._stats_of(name) for name in scopes)), CacheStats())

    async def _store(
        self, scope: str, key: str, reply: CachedReply, ttl_us: int, owner: str, epoch: bytes, token: str
    ) -> bool:
        keys = self._names.of(scope, key, "entry", "generation", "counters", "index", "sizes", "fill")
        keys.append(self._names.flight(scope, key, owner))
        ttl_us = min(ttl_us, LONGEST_TTL_US)
        words = (scope, key, epoch, _meta(reply), reply.body, reply.size_bytes, ttl_us, owner, token, _BOOKS_MS)
        return bool(await self._call("put", keys, *words))

    async def _enrol(self, scope: str, moves: int = 0) -> bytes:
        """The epoch; the scope is remembered as one in use, so that sums and purges of all find it."""
        epoch: bytes = await self._call("epoch", [self._names.epoch, self._names.scopes], moves, scope, LONGEST_TTL_US)
        self._epoch = epoch
        return epoch

    async def _purge_one(self, scope: str) -> int:
        keys = self._names.of(scope, "", "generation", "counters", "index", "sizes")
        return int(await self._call("purge", keys, _BOOKS_MS))

    async def _stats_of(self, scope: str) -> CacheStats:
        keys = self._names.of(scope, "", "counters", "index", "sizes", "uses")
        stores, evictions, entries, size_bytes, counted = await self._call("stats", keys)
        uses = _uses(counted)
        total = sum(uses.values(), CacheUse())
        return CacheStats(total.hits, total.misses, stores, evictions, entries, size_bytes, total.bypasses, uses)

    async def _call(self, verb: str, keys: list[str], *arguments: Word) -> Any:
        return await self._executor.call(f"response_cache/{verb}", keys, (*arguments, self._now()))


def _meta(reply: CachedReply) -> str:
    usage = None if reply.usage is None else asdict(reply.usage)
    return json.dumps({"model": reply.model, "stored_us": reply.stored_us, "usage": usage}, separators=(",", ":"))


def _reply(meta: bytes, body: bytes) -> CachedReply:
    known = json.loads(meta)
    usage = known["usage"]
    return CachedReply(body, known["model"], known["stored_us"], None if usage is None else Usage(**usage))


def _uses(counted: Sequence[bytes]) -> dict[str, CacheUse]:
    uses: dict[str, CacheUse] = {}
    for name, count in zip(counted[::2], counted[1::2], strict=True):
        kind, _, model = as_text(name).partition(":")
        uses[model] = uses.get(model, CacheUse()) + CacheUse(**{kind: int(count)})
    return uses


_conforms: type[ResponseCache] = RedisResponseCache
