"""The way from one gateway to a store: slow, lossy, cut; and what was sent may arrive after its sender gave up."""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from application.errors import StateUnavailable

T = TypeVar("T")
TIMEOUT_S = 0.05


@dataclass(slots=True)
class Weather:
    """How a link is at present. Shares of all messages are from 0 to 1.

    Attributes:
        lost: Questions that never arrive.
        unheard: Questions that are carried out, and whose answer never comes.
        late: Questions that are carried out up to 3 s after their sender has given up.
        cut: Nothing passes.
    """

    slowest_s: float = 0.001
    lost: float = 0.0
    unheard: float = 0.0
    late: float = 0.0
    cut: bool = False


class Link:
    """Carries questions to a store in the order in which they were asked, and answers back."""

    def __init__(self, chance: random.Random, told: Callable[[str, str], None]) -> None:
        self._chance = chance
        self._told = told
        self._queue: deque[Callable[[], None]] = deque()
        self._last_s = 0.0
        self.weather = Weather()
        self.dead = False

    async def ask(self, name: str, step: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What the store answers. Raises StateUnavailable where nothing is heard in time."""
        return await self.heard(self.send(name, step))

    def send(self, name: str, step: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Future[T]:
        """Asks now; the answer may never come."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._send(name, step, answer)
        return answer

    async def heard(self, answer: asyncio.Future[T]) -> T:
        """The answer. Raises as `ask`."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await answer
        except TimeoutError as error:
            raise StateUnavailable("the store does not answer") from error

    def _send(self, name: str, step: Callable[[], Coroutine[Any, Any, T]], answer: asyncio.Future[T]) -> None:
        weather, chance = self.weather, self._chance
        loop, now_s = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        drawn = chance.random()
        if self.dead or weather.cut or drawn < weather.lost:
            self._told("lost" if not self.dead else "dead", name)
            return
        unheard = drawn < weather.lost + weather.unheard
        if not unheard and drawn < weather.lost + weather.unheard + weather.late:
            self._told("late", name)
            loop.call_later(TIMEOUT_S + chance.random() * 3, self._carry_out, name, step, None)
            return
        if unheard:
            self._told("unheard", name)
        self._queue.append(lambda: self._carry_out(name, step, None if unheard else answer))
        self._last_s = max(self._last_s, now_s + chance.random() * weather.slowest_s)
        loop.call_at(self._last_s, self._next)

    def _next(self) -> None:
        if self._queue:
            self._queue.popleft()()

    def _carry_out(
        self, name: str, step: Callable[[], Coroutine[Any, Any, T]], answer: asyncio.Future[T] | None
    ) -> None:
        if self.weather.cut:
            self._told("cut", name)
            return
        result, error = carry_out(step())
        self._told("done", name)
        if answer is None or answer.done():
            return
        delay_s = self._chance.random() * self.weather.slowest_s
        asyncio.get_running_loop().call_later(delay_s, _answer, answer, result, error)


def carry_out(step: Coroutine[Any, Any, T]) -> tuple[T | None, Exception | None]:
    """A step of a store in memory: it never waits."""
    try:
        step.send(None)
    except StopIteration as end:
        return end.value, None
    except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
        return None, error
    step.close()
    raise RuntimeError("a step of the store waited")


def _answer(answer: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(result)
