"""A provider that does what it is told, for tests of everything above it."""

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Self

from application.ports.provider import Call, ChunkStream, Provider
from domain.chat import Chunk, Reply, Usage
from domain.failure import Failure, FailureKind, ProviderFailed

_US_PER_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Act:
    """One answer of the script.

    Attributes:
        delay_us: Before the answer, or before a stream's first chunk.
        failure: Fails with it: at once, or in a stream after `chunks` of content.
        chunks: Content chunks of a stream.
        chunk_delay_us: Before each further chunk.
        hang: Never answers.
    """

    delay_us: int = 0
    failure: Failure | None = None
    chunks: int = 3
    chunk_delay_us: int = 0
    hang: bool = False
    text: str = "hello"
    usage: Usage | None = field(default=Usage(10, 5))


def fails(kind: FailureKind, *, status: int | None = None, retry_after_us: int | None = None, delay_us: int = 0) -> Act:
    """An act that fails before any content."""
    failure = Failure(kind, f"scripted {kind.value}", status=status, retry_after_us=retry_after_us)
    return Act(delay_us=delay_us, failure=failure, chunks=0)


@dataclass(slots=True)
class ScriptedProvider:
    """Plays `script` act by act, then `otherwise` for ever.

    Attributes:
        checks: The same for health checks, which take nothing from `script`.
        checked: How many health checks there were.
        calls: Every call, in order.
        running: Calls and streams that have not ended.
        most_running: The most that ran at once.
    """

    script: deque[Act] = field(default_factory=deque)
    otherwise: Act = Act()
    checks: deque[Act] = field(default_factory=deque)
    calls: list[Call] = field(default_factory=list)
    checked: int = 0
    running: int = 0
    most_running: int = 0

    async def complete(self, call: Call) -> Reply:
        act = self._begin(call)
        try:
            await _play_delay(act)
            if act.failure is not None:
                raise ProviderFailed(act.failure)
        finally:
            self.running -= 1
        return Reply(json.dumps({"model": call.reply_model, "content": act.text}).encode(), act.usage)

    async def stream(self, call: Call) -> ChunkStream:
        act = self._begin(call)
        try:
            await _play_opening(act)
        except BaseException:
            self.running -= 1
            raise
        return _ScriptedStream(self, act)

    async def check(self) -> int | None:
        self.checked += 1
        act = self.checks.popleft() if self.checks else self.otherwise
        await _play_delay(act)
        if act.failure is not None:
            raise ProviderFailed(act.failure)
        return 200

    def _begin(self, call: Call) -> Act:
        self.calls.append(call)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        return self.script.popleft() if self.script else self.otherwise


class _ScriptedStream:
    def __init__(self, provider: ScriptedProvider, act: Act) -> None:
        self._provider = provider
        self._act = act
        self._sent = 0
        self._open = True

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[Chunk, ...]:
        act, number = self._act, self._sent
        if not self._open or number > act.chunks:
            await self.aclose()
            raise StopAsyncIteration
        if number:
            await asyncio.sleep(act.chunk_delay_us / _US_PER_SECOND)
        self._sent += 1
        if number < act.chunks:
            return (Chunk(json.dumps({"text": f"{act.text}-{number}"}).encode()),)
        if act.failure is not None:
            await self.aclose()
            raise ProviderFailed(act.failure)
        return (Chunk(b'{"usage":true}', content=False, usage=act.usage),)

    async def aclose(self) -> None:
        if self._open:
            self._open = False
            self._provider.running -= 1


async def _play_delay(act: Act) -> None:
    if act.hang:
        await asyncio.Event().wait()
    if act.delay_us:
        await asyncio.sleep(act.delay_us / _US_PER_SECOND)


async def _play_opening(act: Act) -> None:
    await _play_delay(act)
    if act.failure is not None and act.chunks == 0:
        raise ProviderFailed(act.failure)


_conforms: type[Provider] = ScriptedProvider
_conforms_stream: type[ChunkStream] = _ScriptedStream
