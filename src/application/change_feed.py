from collections.abc import Sequence
from typing import Protocol

from application.errors import StateUnavailable
from application.ports.audit_log import AuditLog
from application.ports.clock import Clock
from domain.audit import AuditEntry
from domain.durations import SECOND_US

FOLLOW_EVERY_US = SECOND_US // 4
SILENT_AFTER_US = 2 * SECOND_US
_ENTRIES_AT_ONCE = 1_000


class Follower(Protocol):
    """Keeps something that an administrator may change."""

    def changed(self, target: str) -> None:
        """What was kept of `target`, such as `key:K`, is old."""
        ...

    def lost_track(self) -> None:
        """All that was kept may be old."""
        ...


class ChangeFeed:
    """Tells its followers what was changed, by whichever process, soon after it took effect.

    It begins with what comes after the present. Each question also asks for the last entry that it has seen: where
    that one is gone or another stands in its place, the database is an older copy of itself, and nobody can tell what
    was changed.
    """

    def __init__(self, log: AuditLog, clock: Clock, followers: Sequence[Follower]) -> None:
        self._log = log
        self._clock = clock
        self._followers = tuple(followers)
        self._revision: int | None = None
        self._last: AuditEntry | None = None
        self._answered_us: int | None = None
        self._refused = False

    def follow(self, follower: Follower) -> None:
        """Tells one more from now on."""
        self._followers = (*self._followers, follower)

    @property
    def is_silent(self) -> bool:
        """Whether the store lately did not answer. Who would ask it need not wait to learn the same."""
        return self._refused or not (self._answered_us is None or self.answered_within(SILENT_AFTER_US))

    def answered_within(self, span_us: int) -> bool:
        """Whether the followers know all that was changed up to `span_us` ago."""
        return self._answered_us is not None and self._clock.monotonic_us() - self._answered_us <= span_us

    async def run(self) -> None:
        """Follows for ever; ends by cancellation."""
        while True:
            await self.catch_up()
            await self._clock.sleep(FOLLOW_EVERY_US)

    async def catch_up(self) -> None:
        """Tells all that is new. A store that is away changes nothing but what this says of itself."""
        try:
            while await self._there_is_more():
                pass
        except StateUnavailable:
            self._refused = True

    async def _there_is_more(self) -> bool:
        asked_us = self._clock.monotonic_us()
        if self._revision is None:
            self._begin_after(await self._log.latest())
            return True
        entries = await self._log.since(max(0, self._revision - 1), _ENTRIES_AT_ONCE)
        if self._revision > 0 and not self._continues(entries):
            # Begun again with the next question, not at once: a store that contradicts itself must not be hammered.
            self._revision = self._last = None
            return False
        if len(entries) < _ENTRIES_AT_ONCE:
            self._tell(entries)
            self._answered_us, self._refused = asked_us, False
            return False
        self._tell(entries)
        return True

    def _begin_after(self, revision: int) -> None:
        # In this order: a follower that failed must be told again.
        for follower in self._followers:
            follower.lost_track()
        self._revision, self._last = revision, None

    def _continues(self, entries: Sequence[AuditEntry]) -> bool:
        if not entries or entries[0].revision != self._revision:
            return False
        return self._last is None or entries[0] == self._last

    def _tell(self, entries: Sequence[AuditEntry]) -> None:
        for entry in entries:
            if entry.revision != self._revision:
                for follower in self._followers:
                    follower.changed(entry.target)
            self._revision, self._last = entry.revision, entry
