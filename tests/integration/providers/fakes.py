"""Stand-ins for the ports that providers use."""

import httpx

from application.ports.clock import Clock
from application.ports.randomness import Randomness


class NoTransport(httpx.AsyncBaseTransport):
    """Reaches nothing."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no network here", request=request)


class SteppingClock:
    """Time passes by sleeping alone."""

    def __init__(self) -> None:
        self.time_us = 1_700_000_000_000_000
        self.slept_us: list[int] = []

    def now_us(self) -> int:
        return self.time_us

    def monotonic_us(self) -> int:
        return self.time_us

    async def sleep(self, span_us: int) -> None:
        self.slept_us.append(span_us)
        self.time_us += span_us


class Draws:
    """Chance that was settled before."""

    def __init__(self, *draws: float) -> None:
        self.left = list(draws)

    def draw(self) -> float:
        return self.left.pop(0)

    def bits(self, count: int) -> int:
        return count


_clock: type[Clock] = SteppingClock
_randomness: type[Randomness] = Draws
