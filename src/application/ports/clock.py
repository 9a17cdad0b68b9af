from typing import Protocol


class Clock(Protocol):
    """Time. Wall-clock time may step; monotonic time never goes back. Both in microseconds."""

    def now_us(self) -> int:
        """Microseconds since the Unix epoch."""
        ...

    def monotonic_us(self) -> int:
        """Microseconds since an arbitrary start."""
        ...

    async def sleep(self, span_us: int) -> None:
        """Returns after at least `span_us`; cancellable."""
        ...
