import asyncio
import logging
from collections import deque
from dataclasses import dataclass, replace

from adapters.outbound.redis.event_history import stream_key
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.words import Word
from application.errors import StateUnavailable
from application.ports.clock import Clock
from application.ports.event_sink import EventSink
from application.ports.randomness import Randomness
from domain.durations import SECOND_US
from domain.event_record import KEPT, LOOK_BACK, EventRecord, KeptEvent, record_of
from domain.events import Event

CAPACITY = 1_000
BATCH = 50
_PAUSE_US = SECOND_US
_ORIGIN_BITS = 64

_log = logging.getLogger("moongate.events")


@dataclass(frozen=True, slots=True)
class _Outgoing:
    event: KeptEvent
    is_repeated: bool = False


class RedisEventSink:
    """Appends events to Redis streams, from a queue that `run` empties.

    While Redis is away the newest 1,000 wait, and older ones are dropped and counted in `dropped`. An event whose
    sending got no answer is sent again under the same id: the script finds it among the newest 100 of the stream.
    """

    def __init__(self, executor: RedisExecutor, prefix: str, clock: Clock, randomness: Randomness) -> None:
        self._executor = executor
        self._prefix = prefix
        self._clock = clock
        self._origin = f"{randomness.bits(_ORIGIN_BITS):016x}"
        self._announced = 0
        self._waiting: deque[_Outgoing] = deque(maxlen=CAPACITY)
        self._underway: list[_Outgoing] = []
        self._some = asyncio.Event()
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """How many are not known to be in Redis."""
        return len(self._waiting) + len(self._underway)

    def publish(self, event: Event) -> None:
        self._announced += 1
        kept = KeptEvent(f"{self._origin}-{self._announced}", record_of(event, self._clock.now_us()))
        if len(self._waiting) == CAPACITY:
            self.dropped += 1
        self._waiting.append(_Outgoing(kept))
        self._some.set()

    async def run(self) -> None:
        """Sends for ever; ends by cancellation."""
        while True:
            await self._some.wait()
            if not await self._send_batch():
                await self._clock.sleep(_PAUSE_US)

    async def flush(self) -> None:
        """Sends what waits, and gives up where Redis does not answer. For the end, after `run` was cancelled."""
        while self._some.is_set() and await self._send_batch():
            pass

    async def _send_batch(self) -> bool:
        """Whether Redis answered."""
        while self._waiting and len(self._underway) < BATCH:
            self._underway.append(self._waiting.popleft())
        batch, self._underway = self._underway, [replace(each, is_repeated=True) for each in self._underway]
        answers = await asyncio.gather(*map(self._append, batch), return_exceptions=True)
        unsent = [
            each for each, said in zip(self._underway, answers, strict=True) if isinstance(said, StateUnavailable)
        ]
        refused = [said for said in answers if isinstance(said, Exception) and not isinstance(said, StateUnavailable)]
        if refused:
            self.dropped += len(refused)
            _log.warning("redis refuses %d events (%s): they are dropped", len(refused), refused[0])
        self._underway = unsent
        if not unsent and not self._waiting:
            self._some.clear()
        return not unsent

    async def _append(self, outgoing: _Outgoing) -> None:
        event = outgoing.event
        key = stream_key(self._prefix, event.record.stream)
        look_back = LOOK_BACK if outgoing.is_repeated else 0
        await self._executor.call("events/append", [key], [event.event_id, look_back, KEPT, *_words(event.record)])


def _words(record: EventRecord) -> list[Word]:
    """Names and values in turn. What is no valid text is escaped: an event must not fail for the sake of a name."""
    said = {"kind": record.kind, "at_us": str(record.at_us), **record.fields}
    return [word.encode(errors="backslashreplace") for pair in said.items() for word in pair]


_conforms: type[EventSink] = RedisEventSink
