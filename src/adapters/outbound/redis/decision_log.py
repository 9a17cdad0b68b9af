import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter, ValidationError

from adapters.outbound.redis.executor import RedisExecutor
from application.endless import Work
from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.ports.decision_log import DecisionLog, DecisionsWanted
from application.ports.gateway_registry import GatewayRegistry
from application.ports.request_observer import RequestObserver
from domain.durations import SECOND_US
from domain.identifiers import RequestId
from domain.routing.decision import DecisionTrace

FLUSH_EVERY_US = SECOND_US // 4
MOST_WAITING = 5_000
MOST_RECENT = 1_000
BATCH = 50
LONGEST_S = 3_600
SHORTEST_S = 30
MOST_KEPT_BYTES = 150_000_000
"""So much the fleet's traces take in Redis, about: where more come in within an hour, each stays a shorter time."""
OVERHEAD_BYTES = 230
"""What Redis needs for a trace besides its text, about."""

_LONGEST_ID = 100
_SMOOTHING = 0.05
_SEPARATOR = "\t"
_trace = TypeAdapter(DecisionTrace)
_to_json = _trace.serializer.to_json

_log = logging.getLogger("moongate.decisions")


class RedisDecisionLog:
    """The last traces of this process at once, and those of all others about a quarter of a second later.

    What has finished waits in a queue and leaves in batches. Where it comes faster than it leaves, or Redis is away,
    the oldest are dropped and counted: traces are for people.

    Attributes:
        dropped: Traces that no other process will see.
    """

    def __init__(
        self,
        executor: RedisExecutor,
        prefix: str,
        clock: Clock,
        registry: GatewayRegistry,
        local: DecisionLog,
    ) -> None:
        self._executor = executor
        self._prefix = prefix
        self._clock = clock
        self._registry = registry
        self._local = local
        self._waiting: deque[DecisionTrace] = deque()
        self._sent_bytes = 0
        self._bytes_per_second = 0.0
        self.dropped = 0

    def keep(self, trace: DecisionTrace) -> None:
        self._local.keep(trace)

    def finished(self, trace: DecisionTrace) -> None:
        self._local.finished(trace)
        if len(self._waiting) == MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(trace.shortened())

    async def find(self, request_id: RequestId) -> DecisionTrace | None:
        found = await self._local.find(request_id)
        if found is not None or len(request_id) > _LONGEST_ID:
            return found
        return await self._read(request_id)

    async def recent(self, wanted: DecisionsWanted) -> Sequence[DecisionTrace]:
        lines = await self._executor.command("ZRANGE", self._latest_key, 0, MOST_RECENT - 1, "REV")
        ids = [RequestId(words[0]) for words in map(_words, lines or ()) if wanted.fits(words[2], words[1])]
        read = await asyncio.gather(*map(self._read, ids[: wanted.limit]))
        return tuple(trace for trace in read if trace is not None)

    async def open(self) -> None:
        """Nothing is needed before the first request."""

    def works(self) -> Mapping[str, Work]:
        """What runs for as long as requests are served."""
        return {"sharing decisions": self.run}

    async def close(self) -> None:
        """Sends what waits, after the last request."""
        await self.flush()

    async def run(self) -> None:
        """Sends what has finished, for ever; ends by cancellation."""
        while True:
            await self._clock.sleep(FLUSH_EVERY_US)
            await self.flush()
            self._measure()

    async def flush(self) -> None:
        """Sends what waits, some at a time, so that requests come in between. Never fails."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            try:
                await self._send(batch)
            except StateUnavailable:
                self.dropped += len(batch)

    async def _send(self, batch: list[DecisionTrace]) -> None:
        seconds, ask = self._seconds(), self._executor.ask
        scored = [word for each in batch for word in (each.finished_us or 0, _line(each))]
        texts = [_encoded(each) for each in batch]
        self._sent_bytes += sum(map(len, texts)) + OVERHEAD_BYTES * len(texts)
        answers = [
            ask("SET", self._key(each.request_id), text, "EX", seconds) for each, text in zip(batch, texts, strict=True)
        ]
        answers += [
            ask("ZADD", self._latest_key, *scored),
            ask("ZREMRANGEBYRANK", self._latest_key, 0, -MOST_RECENT - 1),
            ask("EXPIRE", self._latest_key, LONGEST_S),
        ]
        for answer in await asyncio.gather(*answers, return_exceptions=True):
            if isinstance(answer, BaseException):
                raise answer

    async def _read(self, request_id: RequestId) -> DecisionTrace | None:
        text = await self._executor.command("GET", self._key(request_id))
        try:
            return None if text is None else _trace.validate_json(text)
        except ValidationError:
            _log.warning("the decision %s was written by a version that says it otherwise", request_id)
            return None

    def _measure(self) -> None:
        now = self._sent_bytes * SECOND_US / FLUSH_EVERY_US
        self._sent_bytes = 0
        self._bytes_per_second += (now - self._bytes_per_second) * _SMOOTHING

    def _seconds(self) -> int:
        """How long a trace is kept."""
        share_bytes = MOST_KEPT_BYTES / (self._registry.count() or 1)
        return int(max(SHORTEST_S, min(LONGEST_S, share_bytes / max(self._bytes_per_second, 1.0))))

    def _key(self, request_id: RequestId) -> str:
        return f"{self._prefix}{{d:{request_id}}}"

    @property
    def _latest_key(self) -> str:
        return f"{self._prefix}{{d}}:latest"


def _encoded(trace: DecisionTrace) -> bytes:
    return _to_json(trace, exclude_defaults=True)


def _line(trace: DecisionTrace) -> str:
    return _SEPARATOR.join((trace.request_id, trace.outcome or "", trace.requested_model))


def _words(line: bytes) -> list[str]:
    """Request id, outcome, model."""
    return line.decode().split(_SEPARATOR, 2)


_conforms_observer: type[RequestObserver] = RedisDecisionLog
_conforms: type[DecisionLog] = RedisDecisionLog
