from typing import Protocol

from domain.grant import Grant


class Keyring(Protocol):
    """Keys by their digests."""

    async def grant_of(self, digest: bytes) -> Grant | None:
        """The key with all that belongs to it, valid or not, as it stands now; None for a digest nobody has.

        Raises:
            StateUnavailable: The store does not answer.
        """
        ...
