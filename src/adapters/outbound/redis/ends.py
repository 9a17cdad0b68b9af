"""How admissions end: reports, withdrawals and releases on their way to Redis."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.outbound.redis.asked import Answer
from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.store_breaker import StoreBreaker
from adapters.outbound.redis.words import Word
from application.errors import StateUnavailable
from application.ports.clock import Clock
from domain.durations import SECOND_US

MOST_OWED = 10_000
MOST_AT_ONCE = 1_000
AGAIN_EVERY_US = SECOND_US // 5
LOOKED_FOR_US = 5 * SECOND_US


@dataclass(frozen=True, slots=True)
class End:
    """A script that ends what was admitted under `id`, and changes nothing where nothing is held under it (any more).

    Attributes:
        until_taken: Where it is owed, it is so until it has found something: the admission may come to pass after it.
    """

    id: str
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
    """`until_us`: from when on it is settled in any case. None before Redis has answered that it finds nothing."""

    end: End
    until_us: int | None = None


class Ends:
    """What does not arrive is owed, and sent again until Redis has heard it.

    An admission that was asked for and not found may still come, out of a buffer on its way: a frozen Redis carries out
    old requests when it wakes. It is looked for during 5 s, counted from when Redis answers.

    Otherwise an outage would leave leases and charges behind: an instance with few slots would refuse everybody after
    it, and a caller would have paid for what nobody served.
    """

    def __init__(self, executor: RedisExecutor, clock: Clock, breaker: StoreBreaker | None = None) -> None:
        self._executor = executor
        self._clock = clock
        self._breaker = breaker
        self._owed: dict[str, _Owed] = {}
        self._next_us = 0
        self._asking = 0

    async def admit(
        self, under: str, script: str, keys: Sequence[str], words: Sequence[Word], undo: Callable[[], End]
    ) -> Any:
        """What the script of an admission answers. Where that is lost, `undo` is owed: it may be carried out anyway.

        Raises:
            StateUnavailable: There was no answer.
        """
        asked = not self._is_down
        try:
            said = await self._executor.call(script, keys, words)
        except StateUnavailable:
            if asked:
                self._owe(undo())
            raise
        self._owed.pop(under, None)
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
        for under, owed in tuple(self._owed.items()):
            if owed.until_us is not None and owed.until_us <= now_us:
                del self._owed[under]
        first = tuple(itertools.islice(self._owed.values(), MOST_AT_ONCE))
        for owed in first:  # What is still owed then goes behind the others.
            del self._owed[owed.end.id]
            self._owed[owed.end.id] = owed
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
            if self._owed.get(owed.end.id) is owed:
                del self._owed[owed.end.id]
        elif owed.until_us is None:
            owed.until_us = self._clock.monotonic_us() + LOOKED_FOR_US

    async def _heard(self, answer: Answer, owed: Callable[[], End]) -> Any:
        try:
            return await answer
        except StateUnavailable:
            self._owe(owed())
            raise

    def _owe(self, end: End) -> None:
        if len(self._owed) >= MOST_OWED:
            del self._owed[next(iter(self._owed))]
        self._owed[end.id] = _Owed(end)
