from typing import Protocol


class Kept(Protocol):
    """Values that the whole fleet agrees on for ever, such as a generated pepper."""

    async def first(self, name: str, proposal: bytes) -> bytes:
        """The value of that name: `proposal` where there was none, of several at once the first.

        Raises:
            ValueError: The name is none: 1 to 200 printable characters.
            StateUnavailable: The store is away; ask again before any use of `proposal`.
        """
        ...
