from collections.abc import Mapping, Sequence

from adapters.outbound.redis.executor import RedisExecutor
from application.ports.event_history import EventHistory
from domain.event_record import EventRecord, EventStream

_OUR_FIELDS = frozenset({"id", "kind", "at_us"})


def stream_key(prefix: str, stream: EventStream) -> str:
    """Where a stream is."""
    return f"{prefix}{stream.value}"


class RedisEventHistory:
    """Reads what `RedisEventSink` of every gateway wrote."""

    def __init__(self, executor: RedisExecutor, prefix: str) -> None:
        self._executor = executor
        self._prefix = prefix

    async def last(self, stream: EventStream, count: int) -> Sequence[EventRecord]:
        entries = await self._executor.command("XREVRANGE", stream_key(self._prefix, stream), "+", "-", "COUNT", count)
        return tuple(_record(stream, words) for _, words in entries or ())


def _record(stream: EventStream, words: Mapping[bytes, bytes]) -> EventRecord:
    said = {name.decode(): value.decode() for name, value in words.items()}
    fields = {name: value for name, value in said.items() if name not in _OUR_FIELDS}
    return EventRecord(stream, said["kind"], int(said["at_us"]), fields)


_conforms: type[EventHistory] = RedisEventHistory
