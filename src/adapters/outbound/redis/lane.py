"""The way to one server: one connection, used as a true pipeline."""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, cast

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import InvalidResponse, NoScriptError, ResponseError

from adapters.outbound.redis.asked import Asked
from adapters.outbound.redis.batch import Batch, batches
from adapters.outbound.redis.receiver import Receiver
from adapters.outbound.redis.words import Word
from application.errors import StateUnavailable

UNDER_WAY = 2_048
UNANSWERED = 16_384

_packed: Callable[[tuple[Word, ...]], bytes] = cast("Any", pack_command)


class Source(Protocol):
    """Where a lane has its connections from; they are closed when it gives them back."""

    def take(self) -> AbstractConnection:
        """One that nobody else uses."""
        ...

    def give(self, connection: AbstractConnection) -> None:
        """It is not needed any more."""
        ...


class Lane:
    """Asks one server in order, over one connection that is opened when something is asked.

    Batches are written as they come, without waiting for the answers of those before; one task reads the answers.
    A batch that is not answered within the bound, connecting included, fails, and so does all behind it: then the
    connection is closed, for answers that are left on it belong to nobody. What is asked next connects anew.

    Scripts that Redis has forgotten are asked again with their sources, before anything new is written.
    """

    def __init__(self, source: Source, bound_s: float, receiver: Receiver) -> None:
        self._source = source
        self._bound_s = bound_s
        self._receiver = receiver
        self._pending: deque[Asked] = deque()
        self._waiting: deque[Batch] = deque()
        self._sent: deque[Batch] = deque()
        self._forgotten: list[Asked] = []
        self._unanswered = 0
        self._flush_is_due = False
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._quiet: asyncio.Future[None] | None = None

    @property
    def unanswered(self) -> int:
        """How much was asked and is not answered yet."""
        return self._unanswered

    def ask(self, asked: Asked) -> None:
        """Sends `asked` after all that was asked before, and before all that will be."""
        if self._unanswered >= UNANSWERED:
            asked.fail(StateUnavailable("redis is too slow: too much is waiting for it"))
            return
        self._unanswered += 1
        self._pending.append(asked)
        self._flush_soon()

    def drop(self, error: Exception) -> None:
        """Closes the connection at once. What is unanswered fails with `error`, which nobody is blamed for."""
        for batch in self._cut():
            self._give_up(batch, error)

    async def aclose(self) -> None:
        """Waits for what was asked, then closes the connection."""
        while self._unanswered:
            self._quiet = asyncio.get_running_loop().create_future()
            await self._quiet
        if self._timer is not None:
            self._timer.cancel()
        if self._reading is not None:
            self._reading.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _flush_soon(self) -> None:
        if not self._flush_is_due:
            self._flush_is_due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self, *, waited: bool = False) -> None:
        """Sends what was asked, as much of it as may be under way; the rest goes when something is answered."""
        self._flush_is_due = False
        now_s = asyncio.get_running_loop().time()
        room = UNDER_WAY - (self._unanswered - len(self._pending))
        wanted: list[Asked] = []
        while self._pending and len(wanted) < room:
            asked = self._pending.popleft()
            if asked.answer.done() or (waited and self._is_late(asked, now_s)):
                self._settled(1)
            else:
                wanted.append(asked)
        self._waiting.extend(batches(wanted, now_s))
        self._write()

    def _is_late(self, asked: Asked, now_s: float) -> bool:
        """That is no sign of an outage, and not counted as one."""
        if now_s - asked.asked_s <= self._bound_s / 2:
            return False
        asked.fail(StateUnavailable("redis is too slow: too much was waiting for it"))
        return True

    def _write(self) -> None:
        """Writes what waits, or connects first; while scripts were forgotten, those go first."""
        if self._writer is None:
            if self._reading is None and self._waiting:
                self._reading = asyncio.get_running_loop().create_task(self._read())
                self._tasks.add(self._reading)
                self._reading.add_done_callback(self._tasks.discard)
        elif not self._forgotten and not self._writer.is_closing():
            while self._waiting:
                self._write_batch(self._waiting.popleft(), self._writer)
            if self._pending and not self._sent:
                self._flush_soon()
        self._watch()

    def _write_batch(self, batch: Batch, writer: asyncio.StreamWriter) -> None:
        wanted = [asked for asked in batch.asked if not asked.answer.done()]
        self._settled(len(batch.asked) - len(wanted))
        if wanted:
            batch.asked = wanted
            writer.write(b"".join([_packed(asked.words) for asked in wanted]))
            self._sent.append(batch)

    async def _read(self) -> None:
        connection: Any = None
        try:
            connection = self._source.take()
            await connection.disconnect(nowait=True)  # It may have been used, and left in the middle of an answer.
            await connection.connect()
            if self._reading is not asyncio.current_task():
                return  # It was dropped meanwhile, and the library has swallowed that.
            # Its own way to write makes a task of each write.
            self._writer = connection._writer  # noqa: SLF001 - see above
            self._write()
            while True:
                self._receive(await _answer(connection))
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever asked must not wait for ever
            self._lose(error)
        finally:
            if connection is not None:
                await connection.disconnect(nowait=True)
                self._source.give(connection)

    def _receive(self, said: object) -> None:
        if not self._sent:
            raise InvalidResponse("an answer to nothing that was asked")
        batch = self._sent[0]
        asked = batch.asked[batch.answered]
        batch.answered += 1
        if isinstance(said, NoScriptError) and asked.by_digest:
            asked.send_whole()
            self._forgotten.append(asked)
        else:
            self._settled(1)
            batch.outage = self._receiver.receive(asked, said) or batch.outage
        if batch.answered == len(batch.asked):
            self._sent.popleft()
            self._receiver.judge(batch.outage, asyncio.get_running_loop().time() - batch.started_s)
            if self._forgotten and not self._sent:
                self._ask_again(batch.started_s)
            if self._pending:
                self._flush(waited=True)

    def _ask_again(self, started_s: float) -> None:
        forgotten, self._forgotten = self._forgotten, []
        self._waiting.extendleft(reversed(batches(forgotten, started_s)))
        self._write()

    def _watch(self) -> None:
        """One timer for all: later batches have later deadlines."""
        due = self._sent or self._waiting
        if due and self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(due[0].started_s + self._bound_s, self._look)

    def _look(self) -> None:
        self._timer = None
        due = self._sent or self._waiting
        if not due or asyncio.get_running_loop().time() < due[0].started_s + self._bound_s:
            self._watch()
            return
        self._fail(self._cut(), TimeoutError("no answer in time"))

    def _lose(self, error: Exception) -> None:
        """The connection failed or could not be opened."""
        if self._reading is asyncio.current_task():  # Else it was dropped meanwhile.
            self._fail(self._cut(), error)

    def _fail(self, lost: list[Batch], error: Exception) -> None:
        outages = [outage for batch in lost if (outage := self._give_up(batch, error)) is not None]
        if outages:
            self._receiver.judge_lost(outages, asyncio.get_running_loop().time() - lost[0].started_s)

    def _cut(self) -> list[Batch]:
        """Ends the connection now, with what is not yet written; returns all that waited for it."""
        lost = [*self._sent, *self._waiting]
        if self._forgotten:
            lost.insert(0, Batch(self._forgotten, lost[0].started_s))
        self._sent.clear()
        self._waiting.clear()
        self._forgotten = []
        writer, self._writer = self._writer, None
        reading, self._reading = self._reading, None
        if writer is not None:
            writer.transport.abort()
        if reading is not None and reading is not asyncio.current_task():
            reading.cancel()
        if self._pending:
            self._flush_soon()
        return lost

    def _give_up(self, batch: Batch, error: Exception) -> Exception | None:
        left = batch.asked[batch.answered :]
        self._settled(len(left))
        outages = [self._receiver.receive(asked, error) for asked in left]
        return outages[0] if outages else None

    def _settled(self, count: int) -> None:
        self._unanswered -= count
        if self._quiet is not None and not self._unanswered and not self._quiet.done():
            self._quiet.set_result(None)


async def _answer(connection: AbstractConnection) -> Any:
    try:
        return await connection.read_response(timeout=math.inf, disconnect_on_error=False)
    except ResponseError as error:
        return error
