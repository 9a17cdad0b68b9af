"""A pipeline in virtual time: stores that can be away, slow or cut short, and processes that can be killed."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, cast

from adapters.outbound.memory.ledger import MemoryLedger
from adapters.outbound.memory.usage_journal import MemoryUsageJournal
from adapters.outbound.memory.usage_stream import MemoryUsageStream
from adapters.testing.doubles import SeededRandomness
from adapters.testing.usage_journal_contract import intent, outcome
from adapters.testing.virtual_time import VirtualClock, run_virtual
from application.endless import keep_going
from application.errors import StateUnavailable
from application.ports.ledger import Ledger, LedgerRefused
from application.ports.usage_stream import UsageStream
from application.usage.deliver_usage import DeliverUsage
from application.usage.drain_usage import DrainUsage
from application.usage.pipeline import UsagePipeline
from domain.durations import SECOND_US
from domain.usage_record import UsageRecord

Story = Callable[["World"], Awaitable[None]]


class Interruptible:
    """A store whose calls are counted, and that can be away or hang at a point: `before x`, `after x`."""

    def __init__(self, inner: object) -> None:
        self.inner: Any = inner
        self.away = False
        self.hangs_at: str | None = None
        self.reached = asyncio.Event()
        self._going_on = asyncio.Event()
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        async def called(*arguments: Any, **named: Any) -> Any:
            self.calls[name] += 1
            await self._point(f"before {name}")
            if self.away:
                raise StateUnavailable("away")
            answer = await getattr(self.inner, name)(*arguments, **named)
            await self._point(f"after {name}")
            return answer

        return called

    def let_go(self) -> None:
        """What hangs goes on, if anybody still waits for it."""
        self.hangs_at = None
        self._going_on.set()

    async def _point(self, name: str) -> None:
        if name == self.hangs_at:
            self.reached.set()
            await self._going_on.wait()


class PickyLedger(MemoryLedger):
    """Refuses some records, and notes when each transaction was tried."""

    def __init__(self) -> None:
        super().__init__()
        self.refuses: set[str] = set()
        self.tried: list[tuple[float, tuple[str, ...]]] = []

    async def insert(self, records: Sequence[UsageRecord]) -> int:
        ids = tuple(record.record_id for record in records)
        self.tried.append((asyncio.get_running_loop().time(), ids))
        if self.refuses.intersection(ids):
            raise LedgerRefused("no such day")
        return await super().insert(records)

    @property
    def ids(self) -> list[str]:
        return sorted(record.record_id for record in self.records)

    def times_of(self, record_id: str) -> list[float]:
        """When it was tried alone."""
        return [at_s for at_s, ids in self.tried if ids == (record_id,)]


class Process:
    """One gateway process. Killed, it leaves its journal to others, as the kernel lets go of a file's lock."""

    def __init__(self, world: "World", name: str, *, drains: bool = True) -> None:
        self.journal = MemoryUsageJournal(world.directory)
        self.told: list[str] = []
        self.adopted: list[UsageRecord] = []
        self.deaths = 0
        self.hook_fails: list[Exception] = []
        stream, ledger = cast("UsageStream", world.stream), cast("Ledger", world.ledger)
        self.deliver = DeliverUsage(
            self.journal,
            stream,
            ledger,
            world.clock,
            SeededRandomness(),
            on_ledgered=self._on_ledgered,
            on_adopted=self._on_adopted,
            on_died=self._on_died,
        )
        self.drain = DrainUsage(
            stream, ledger, world.clock, SeededRandomness(), name, on_ledgered=self.deliver.ledgered
        )
        self.pipeline = UsagePipeline(self.journal, self.deliver, self.drain if drains else None, world.clock)
        works = self.pipeline.works().items()
        self._tasks = [asyncio.ensure_future(keep_going(what, work, world.clock)) for what, work in works]

    def write(self, *numbers: int) -> list[str]:
        """Whole attempts; their record ids."""
        for number in numbers:
            self.journal.append_intent(intent(number))
            self.journal.append_outcome(outcome(number))
        return [outcome(number).record_id for number in numbers]

    @property
    def unmarked(self) -> list[str]:
        return [entry.id for entry in self.journal.undelivered(100_000)]

    async def end_works(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def kill(self) -> None:
        await self.end_works()
        self.journal.close()

    async def close(self, timeout_s: float) -> None:
        """As a gateway ends."""
        await self.end_works()
        await self.pipeline.close(round(timeout_s * SECOND_US))

    async def _on_ledgered(self, record_ids: Sequence[str]) -> None:
        self._fail()
        self.told.extend(record_ids)

    def _on_died(self) -> None:
        self.deaths += 1

    async def _on_adopted(self, record: UsageRecord) -> None:
        self._fail()
        self.adopted.append(record)

    def _fail(self) -> None:
        if self.hook_fails:
            raise self.hook_fails.pop(0)


class World:
    """The stores, and the processes that were started."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.records = PickyLedger()
        self.queue = MemoryUsageStream(self.clock)
        self.ledger = Interruptible(self.records)
        self.stream = Interruptible(self.queue)
        self.directory: list[MemoryUsageJournal] = []
        self._processes: list[Process] = []

    def start(self, name: str = "w", *, drains: bool = True) -> Process:
        process = Process(self, name, drains=drains)
        self._processes.append(process)
        return process

    def worker(self, name: str, *, batch_size: int = 100) -> DrainUsage:
        """A consumer that nobody runs yet."""
        stream, ledger = cast("UsageStream", self.stream), cast("Ledger", self.ledger)
        return DrainUsage(stream, ledger, self.clock, SeededRandomness(), name, batch_size=batch_size)

    def lose_the_stream(self) -> None:
        self.queue = self.stream.inner = MemoryUsageStream(self.clock)

    async def append(self, *numbers: int) -> list[str]:
        """Records that are in the stream, whoever has a journal of them."""
        for number in numbers:
            await self.queue.append(outcome(number).to_bytes(), outcome(number).record_id)
        return [outcome(number).record_id for number in numbers]

    async def pass_s(self, span_s: float) -> None:
        await asyncio.sleep(span_s)

    @property
    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    async def end(self) -> None:
        for process in self._processes:
            await process.end_works()


def tell(story: Story) -> None:
    """Runs a story in virtual time."""

    async def main() -> None:
        world = World()
        try:
            await story(world)
        finally:
            await world.end()

    run_virtual(main())
