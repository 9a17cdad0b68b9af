from typing import Protocol


class StoreProbe(Protocol):
    """A store that requests need, asked whether it is there."""

    async def ping(self) -> bool:
        """Whether it answers now. Takes about a second at most and never fails.

        Cancelled, it ends at once, though not always by the cancellation.
        """
        ...
