"""An access token that is always at hand: fetched once, and again before it ends."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from application.ports.clock import Clock
from domain.durations import SECOND_US
from domain.failure import ProviderFailed

# The metadata server of a machine gives the same token until four minutes before its end.
_AHEAD_US: Final = 225 * SECOND_US
# A token that ends on the way is refused.
_UNUSABLE_US: Final = 20 * SECOND_US
_PAUSE_US: Final = 10 * SECOND_US


@dataclass(frozen=True, slots=True)
class AccessToken:
    """`expires_us`: since the Unix epoch. `quota_project`: whose quota it counts against; empty for its own."""

    value: str = field(repr=False)
    expires_us: int
    quota_project: str = ""


FetchToken = Callable[[], Awaitable[AccessToken]]


class TokenSource:
    """The token of one credential, fetched by one task at a time, however many wait for it.

    While a token is still good, nobody waits for the next one. Of one event loop.
    """

    def __init__(self, fetch: FetchToken, clock: Clock) -> None:
        """`fetch` raises ProviderFailed."""
        self._fetch = fetch
        self._clock = clock
        self._token: AccessToken | None = None
        self._fetching: asyncio.Task[AccessToken] | None = None
        self._tried_us = -_PAUSE_US

    @property
    def at_hand(self) -> AccessToken | None:
        """The last one that was fetched."""
        return self._token

    async def token(self) -> AccessToken:
        """One that is good for now.

        Raises:
            ProviderFailed: There is none, and none could be fetched.
        """
        token, now_us = self._token, self._clock.now_us()
        if token is None or now_us >= token.expires_us - _UNUSABLE_US:
            # Who waits may be cancelled; who else waits must not be.
            return await asyncio.shield(self._fetch_once(now_us))
        if now_us >= token.expires_us - _AHEAD_US and now_us - self._tried_us >= _PAUSE_US:
            self._fetch_once(now_us)
        return token

    def forget(self) -> None:
        """The provider refused it: the next request fetches another."""
        self._token = None

    def _fetch_once(self, now_us: int) -> asyncio.Task[AccessToken]:
        if self._fetching is None:
            self._tried_us = now_us
            self._fetching = asyncio.get_running_loop().create_task(self._fetched())
            self._fetching.add_done_callback(self._settle)
        return self._fetching

    async def _fetched(self) -> AccessToken:
        self._token = await self._fetch()
        return self._token

    def _settle(self, task: asyncio.Task[AccessToken]) -> None:
        self._fetching = None
        error = None if task.cancelled() else task.exception()
        # Asked for ahead of time, a failure is nobody's yet: the token at hand is good.
        if error is not None and not isinstance(error, ProviderFailed):
            raise error
