"""How leases end: reports and withdrawals on their way to Redis."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.outbound.redis.asked import Answer
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.redis.words import Word
from application.errors import StateUnavailable
from application.lease_keeper import LEASE_US
from application.ports.clock import Clock
from domain.durations import SECOND_US
from domain.identifiers import LeaseId

MOST_OWED = 10_000
MOST_AT_ONCE = 1_000
AGAIN_EVERY_US = SECOND_US // 5


@dataclass(frozen=True, slots=True)
class End:
    """A script that takes a lease, and changes nothing where it is not held (any more).

    Attributes:
        until_taken: Where it is owed, it is so until it has found the lease: the admission may come to pass after it.
    """

    lease_id: LeaseId
    script: str
    keys: Sequence[str]
    words: Sequence[Word]
    until_taken: bool

    @property
    def question(self) -> tuple[str, Sequence[str], Sequence[Word]]:
        """As the executor takes it."""
        return self.script, self.keys, self.words


@dataclass(slots=True, eq=False)
class _Owed:
    """`until_us`: from when on it is settled in any case. None before Redis has answered that it finds no lease."""

    end: End
    until_us: int | None = None


class Ends:
    """What does not arrive is owed, and sent again until Redis has heard it.

    An admission that was asked for and not found may still come, out of a buffer on its way. It is looked for as long
    as a lease lasts, counted from when Redis answers: a frozen one carries out old requests when it wakes.

    Otherwise an outage would leave leases behind, and an instance with few slots would refuse everybody after it.
    """

    def __init__(self, executor: RedisExecutor, clock: Clock, breaker: StoreBreaker | None) -> None:
        self._executor = executor
        self._clock = clock
        self._breaker = breaker
        self._owed: dict[LeaseId, _Owed] = {}
        self._next_us = 0
        self._asking = 0

    async def admit(
        self, lease_id: LeaseId, keys: Sequence[str], words: Sequence[Word], undo: Callable[[], End]
    ) -> Any:
        """What `routing/admit` answers. Where that is lost `undo` is owed, for it may be carried out all the same.

        Raises:
            StateUnavailable: There was no answer.
        """
        asked = not self._is_down
        try:
            said = await self._executor.call("routing/admit", keys, words)
        except StateUnavailable:
            if asked:
                self._owe(undo())
            raise
        self._owed.pop(lease_id, None)
        return said

    def post(self, end: End, owed: Callable[[], End] | None = None) -> Answer:
        """Asks now, before whatever is asked next. `owed` is what is sent instead where that is lost."""
        return self._heard(self._executor.post(*end.question), owed or (lambda: end))

    def again(self) -> list[Answer]:
        """Asks what is owed, now, before whatever is asked next; each answer is to be awaited.

        Not while it is being asked or nobody asks Redis anything; of what was not found, five times in a second.
        """
        now_us = self._clock.monotonic_us()
        if not self._owed or self._asking or self._is_down or now_us < self._next_us:
            return []
        self._next_us = now_us + AGAIN_EVERY_US
        for lease_id, owed in tuple(self._owed.items()):
            if owed.until_us is not None and owed.until_us <= now_us:
                del self._owed[lease_id]
        first = tuple(itertools.islice(self._owed.values(), MOST_AT_ONCE))
        for owed in first:  # What is still owed then goes behind the others.
            del self._owed[owed.end.lease_id]
            self._owed[owed.end.lease_id] = owed
        self._asking = len(first)
        return [self._settled(owed, self._executor.post(*owed.end.question)) for owed in first]

    @property
    def _is_down(self) -> bool:
        return self._breaker is not None and self._breaker.is_open

    async def _settled(self, owed: _Owed, answer: Answer) -> None:
        try:
            taken = await answer
        except StateUnavailable:
            owed.until_us = None
            self._next_us = 0  # At the next chance: nobody may be refused for it.
            raise
        finally:
            self._asking -= 1
        if taken or not owed.end.until_taken:
            if self._owed.get(owed.end.lease_id) is owed:
                del self._owed[owed.end.lease_id]
        elif owed.until_us is None:
            owed.until_us = self._clock.monotonic_us() + LEASE_US

    async def _heard(self, answer: Answer, owed: Callable[[], End]) -> Any:
        try:
            return await answer
        except StateUnavailable:
            self._owe(owed())
            raise

    def _owe(self, end: End) -> None:
        if len(self._owed) >= MOST_OWED:
            del self._owed[next(iter(self._owed))]
        self._owed[end.lease_id] = _Owed(end)
