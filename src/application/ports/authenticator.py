from typing import Protocol

from domain.callers import Caller


class Authenticator(Protocol):
    """Who a credential belongs to."""

    async def authenticate(self, credential: str | None) -> Caller | None:
        """The caller; None for a credential that is absent, unknown, revoked or expired: one answer for all.

        Takes the same time for every wrong credential.
        """
        ...
