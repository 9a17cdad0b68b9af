import asyncio
import time

from application.ports.clock import Clock

_US_PER_SECOND = 1_000_000
_NS_PER_US = 1_000


class SystemClock:
    """The machine's clocks."""

    def now_us(self) -> int:
        return time.time_ns() // _NS_PER_US

    def monotonic_us(self) -> int:
        return time.monotonic_ns() // _NS_PER_US

    async def sleep(self, span_us: int) -> None:
        await asyncio.sleep(span_us / _US_PER_SECOND)


_conforms: type[Clock] = SystemClock
