"""Providers that fail as providers do, and that remember whom they have served."""

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Self

from application.ports.provider import Call, ChunkStream
from domain.chat import Chunk, Reply, Usage
from domain.failure import Failure, FailureKind, ProviderFailed

_KINDS = {
    "limited": (FailureKind.RATE_LIMITED, 429),
    "broken": (FailureKind.SERVER_ERROR, 500),
}

FAILURES = frozenset({"broken", "hangs", "cuts"})
"""Moods that circuits count."""


@dataclass
class Upstream:
    """One instance's provider. `mood`: well, limited, broken, hangs, cuts, refuses.

    `failed_s`: when a call was last answered in a way that circuits count.
    """

    name: str
    chance: random.Random
    mood: str = "well"
    calls: Counter[str] = field(default_factory=Counter)
    running: int = 0
    most_running: int = 0
    streaming: int = 0
    failed_s: float = -1_000.0

    async def complete(self, call: Call) -> Reply:
        async with _Running(self, call):
            await self._open()
            tokens = self._tokens(call)
            return Reply(self._text(call, 0), Usage(10, tokens))

    async def stream(self, call: Call) -> ChunkStream:
        running = _Running(self, call)
        await running.__aenter__()
        try:
            await self._open()
        except BaseException:
            await running.__aexit__()
            raise
        return _Stream(self, call, running, self._tokens(call))

    async def check(self) -> int | None:
        return 200

    async def _open(self) -> None:
        mood = self.mood
        if mood in FAILURES:
            self.failed_s = asyncio.get_running_loop().time()
        await asyncio.sleep(0.01 + self.chance.random() ** 4 * 5)
        if mood == "hangs":
            await asyncio.sleep(3_600)
        if mood == "refuses":
            raise ProviderFailed(Failure(FailureKind.REQUEST_REFUSED, "the prompt is refused", status=400))
        if mood in _KINDS:
            kind, status = _KINDS[mood]
            raise ProviderFailed(Failure(kind, f"scripted {mood}", status=status))

    def _tokens(self, call: Call) -> int:
        most = call.max_output_tokens or call.request.max_output_tokens or 20
        return self.chance.randint(1, most)

    def _text(self, call: Call, number: int) -> bytes:
        said = {"request": call.request_id, "by": self.name, "number": number, "call": self.calls[call.request_id]}
        return json.dumps(said).encode()


class _Running:
    def __init__(self, upstream: Upstream, call: Call) -> None:
        self._upstream = upstream
        self._call = call
        self._ended = False

    async def __aenter__(self) -> Self:
        upstream = self._upstream
        self._call.departure.has_left = True
        upstream.calls[self._call.request_id] += 1
        upstream.running += 1
        upstream.streaming += self._call.request.stream
        upstream.most_running = max(upstream.most_running, upstream.running)
        return self

    async def __aexit__(self, *_: object) -> None:
        if not self._ended:
            self._ended = True
            self._upstream.running -= 1
            self._upstream.streaming -= self._call.request.stream


class _Stream:
    def __init__(self, upstream: Upstream, call: Call, running: _Running, tokens: int) -> None:
        self._upstream, self._call, self._running = upstream, call, running
        self._tokens, self._sent = tokens, 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[Chunk, ...]:
        upstream = self._upstream
        if self._sent > self._tokens:
            await self.aclose()
            raise StopAsyncIteration
        await asyncio.sleep(upstream.chance.random() * 0.1)
        if upstream.mood == "cuts" and self._sent > 1:
            upstream.failed_s = asyncio.get_running_loop().time()
            await self.aclose()
            raise ProviderFailed(Failure(FailureKind.BROKEN_REPLY, "cut"))
        self._sent += 1
        if self._sent > self._tokens:
            return (Chunk(b'{"usage":true}', content=False, usage=Usage(10, self._tokens), visible=False),)
        return (Chunk(upstream._text(self._call, self._sent)),)

    async def aclose(self) -> None:
        await self._running.__aexit__()
