"""The switch that lets an operator see bodies for a while."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, replace

from application.errors import StateUnavailable
from application.ports.audit_log import AuditLog
from application.ports.clock import Clock
from application.ports.deed_log import DeedLog
from domain.audit import AuditEntry, Deed
from domain.callers import Caller, CallerKind
from domain.durations import SECOND_US
from domain.principal import Principal

LONGEST_S = 900
TARGET = "debug:bodies"
_ADMIN = "/admin/"
_AGAIN_AFTER_US = SECOND_US


@dataclass(frozen=True, slots=True)
class BodiesWanted:
    """Until when, and whose; `key_id` None: everybody's."""

    until_us: int
    key_id: str | None = None


class DebugBodies:
    """Whether bodies are to be logged now. Off unless somebody turned it on; off again by itself.

    The audit log is where it stands, so that it can't be on without an entry that says who did it, and so that all
    gateways on one database follow it: within a second, and after a restart too. While the database is away it can't be
    turned on; what was on goes off at its time. That is counted from when this gateway heard of it, once, by a clock
    that nobody can set: clocks that differ make it another time, but never more than the longest.
    """

    def __init__(self, deeds: DeedLog, audit_log: AuditLog, clock: Clock) -> None:
        self._deeds = deeds
        self._audit_log = audit_log
        self._clock = clock
        self._wanted: BodiesWanted | None = None
        self._ends_us = 0
        self._heard: BodiesWanted | None = None
        self._turns = 0
        self._untold_end_us: int | None = None
        self._stale = asyncio.Event()
        self._stale.set()

    @property
    def current(self) -> BodiesWanted | None:
        """What is wanted now; None for nothing."""
        if self._wanted is not None and self._clock.monotonic_us() >= self._ends_us:
            self._wanted = None
        return self._wanted

    def keeps(self, caller: Caller | None, path: str) -> bool:
        """Whether this request's bodies are to be kept. The admin API's never are: new keys stand in them."""
        if self._wanted is None:
            return False
        wanted = self.current
        if wanted is None or path.startswith(_ADMIN):
            return False
        if wanted.key_id is None:
            return True
        return caller is not None and caller.kind is CallerKind.KEY and caller.id == wanted.key_id

    async def begin(self, principal: Principal, span_us: int, key_id: str | None) -> BodiesWanted:
        """Turns it on, whatever it was before.

        Raises:
            StateUnavailable: The audit log can't be written; nothing is turned on.
        """
        wanted = BodiesWanted(self._clock.now_us() + span_us, key_id)
        told = json.dumps({"until_us": wanted.until_us, "key_id": key_id})
        await self._deeds.note_deed(Deed("debug.bodies", TARGET, told), principal.actor)
        self._turns += 1
        self._take_over(wanted)
        self._untold_end_us = None
        return wanted

    async def end(self, principal: Principal) -> None:
        """Turns it off, here at once even where it can't be told.

        Raises:
            StateUnavailable: The audit log can't be written: other gateways go on to the end of the time.
        """
        self._turn_off()
        self._untold_end_us = self._clock.now_us()
        await self._deeds.note_deed(Deed("debug.bodies", TARGET), principal.actor)
        self._turn_off()
        self._untold_end_us = None

    def changed(self, target: str) -> None:
        """Somebody turned it on or off."""
        if target == TARGET:
            self._stale.set()

    def lost_track(self) -> None:
        """Somebody may have."""
        self._stale.set()

    async def run(self) -> None:
        """Follows the other gateways, for ever; ends by cancellation."""
        while True:
            await self._stale.wait()
            await self.refresh()
            await self._clock.sleep(_AGAIN_AFTER_US)

    async def refresh(self) -> None:
        """Reads how it stands, if that may have changed. A store that is away leaves it until its time."""
        if not self._stale.is_set():
            return
        self._stale.clear()
        turns = self._turns
        with suppress(StateUnavailable):
            page = await self._audit_log.page(1, target=TARGET)
            # What was read before it was turned here is old, though it arrives later.
            if turns == self._turns:
                self._take_over(self._read(page.items[0]) if page.items else None)
                return
        self._stale.set()

    def _turn_off(self) -> None:
        self._turns += 1
        self._wanted = None

    def _take_over(self, told: BodiesWanted | None) -> None:
        """What is heard again changes nothing: neither is its time longer for that, nor is it on again."""
        if told is None:
            self._wanted = None
        elif told != self._heard:
            self._heard = told
            now_us = self._clock.now_us()
            left_us = min(told.until_us - now_us, LONGEST_S * SECOND_US)
            self._ends_us = self._clock.monotonic_us() + left_us
            self._wanted = replace(told, until_us=now_us + left_us)

    def _read(self, entry: AuditEntry) -> BodiesWanted | None:
        """What it wants; nothing where it is from before an end that could not be told."""
        if entry.after is None or (self._untold_end_us is not None and entry.at_us <= self._untold_end_us):
            return None
        told = json.loads(entry.after)
        return BodiesWanted(told["until_us"], told["key_id"])
