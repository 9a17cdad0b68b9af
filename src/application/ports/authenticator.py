from typing import Protocol

from domain.callers import Caller


class Authenticator(Protocol):
    """Who a credential belongs to."""

    async def authenticate(self, credential: str | None) -> Caller | None:
        """The caller; None for a credential that is absent, unknown, revoked or expired: one answer for all.

        How long it takes tells nothing of any secret.

        Raises:
            StateUnavailable: Whether it is known can't be said now, and no caller must be told that it is not.
        """
        ...
