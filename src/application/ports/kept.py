from typing import Protocol


class Kept(Protocol):
    """Values that the whole fleet agrees on for ever, such as a generated pepper."""

    async def first(self, name: str, proposal: bytes) -> bytes:
        """The value of that name: `proposal` where there was none, of several at once the first. StateUnavailable."""
        ...
