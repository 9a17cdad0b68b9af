from application.ports.clock import Clock


class SteadyClock:
    """The clock of a store that lives in this process: it shows the time of the day, and never steps.

    What is kept for a while would else be kept for an hour more, or be over at once, when the machine's clock is set.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._epoch_us = clock.now_us() - clock.monotonic_us()

    def now_us(self) -> int:
        return self._epoch_us + self._clock.monotonic_us()

    def monotonic_us(self) -> int:
        return self._clock.monotonic_us()

    async def sleep(self, span_us: int) -> None:
        await self._clock.sleep(span_us)


_conforms: type[Clock] = SteadyClock
