from typing import Protocol

from domain.grant import Grant


class Keyring(Protocol):
    """Keys by their digests."""

    async def grant_of(self, digest: bytes) -> Grant | None:
        """The key with all that belongs to it, valid or not, as it stands now; None for a digest nobody has.

        All of it is of one instant. Who is not there (any more) is None. Of the budgets (of the key, the member, and
        the team or else the user) there are those that are set, in this order.

        Raises:
            StateUnavailable: The store does not answer.
        """
        ...
