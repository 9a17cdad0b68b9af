"""The way from one gateway to a store: slow, lossy, cut; and what was sent may arrive after its sender gave up."""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from dataclasses import dataclass
from typing import Any, TypeVar

from application.errors import StateUnavailable

T = TypeVar("T")
TIMEOUT_S = 0.05
_AT_ONCE = 0.6
"""The share of ways, there or back, that take no time where nothing is on the way before."""
_WAY = Context()
"""Of what happens between a gateway and a store: it goes on while a gateway is paused."""


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
        self._queue: deque[_Sent] = deque()
        self._last_s = 0.0
        self.weather = Weather()
        self.dead = False

    async def ask(self, name: str, step: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What the store answers. Raises StateUnavailable where nothing is heard in time."""
        return await self.send(name, step)

    def send(self, name: str, step: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Future[T]:
        """Asks now. The answer comes, or StateUnavailable when it has not come in time."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        sent = _Sent(name, step, answer, loop.time() + TIMEOUT_S)
        if not self._send(sent, loop):
            _expire(sent, loop)
        return answer

    def _send(self, sent: "_Sent", loop: asyncio.AbstractEventLoop) -> bool:
        """Whether it may be answered in time."""
        weather, chance, now_s = self.weather, self._chance, loop.time()
        drawn = chance.random()
        if self.dead or weather.cut or drawn < weather.lost:
            self._told("lost" if not self.dead else "dead", sent.name)
            return False
        unheard = drawn < weather.lost + weather.unheard
        if not unheard and drawn < weather.lost + weather.unheard + weather.late:
            self._told("late", sent.name)
            loop.call_later(TIMEOUT_S + chance.random() * 3, self._carry_out, sent, context=_WAY)
            return False
        if unheard:
            self._told("unheard", sent.name)
            sent.unheard = True
        if not self._queue and chance.random() < _AT_ONCE:
            self._carry_out(sent)
            return not unheard
        self._queue.append(sent)
        self._last_s = max(self._last_s, now_s + chance.random() * weather.slowest_s)
        loop.call_at(self._last_s, self._next, context=_WAY)
        return not unheard and self._last_s < sent.until_s

    def _next(self) -> None:
        if self._queue:
            self._carry_out(self._queue.popleft())

    def _carry_out(self, sent: "_Sent") -> None:
        loop = asyncio.get_running_loop()
        if self.weather.cut:
            self._told("cut", sent.name)
            _expire(sent, loop)
            return
        result, error = carry_out(sent.step())
        self._told("done", sent.name)
        if sent.unheard or sent.answer.done():
            return
        if self._chance.random() < _AT_ONCE:
            loop.call_soon(_answer, sent.answer, result, error, context=_WAY)
            return
        heard_s = loop.time() + self._chance.random() * self.weather.slowest_s
        if heard_s < sent.until_s:
            loop.call_at(heard_s, _answer, sent.answer, result, error, context=_WAY)
        else:
            _expire(sent, loop)


@dataclass(slots=True)
class _Sent:
    """A question on its way. `until_s`: its sender gives up then."""

    name: str
    step: Callable[[], Coroutine[Any, Any, Any]]
    answer: asyncio.Future[Any]
    until_s: float
    unheard: bool = False


def _expire(sent: _Sent, loop: asyncio.AbstractEventLoop) -> None:
    loop.call_at(sent.until_s, _answer, sent.answer, None, StateUnavailable("the store does not answer"), context=_WAY)


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
        answer.exception()  # nobody has to hear it
    else:
        answer.set_result(result)
