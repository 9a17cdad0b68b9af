import asyncio
from typing import Any, NoReturn

import pytest

from adapters.outbound.memory.audit_log import MemoryAuditLog
from adapters.outbound.memory.deed_log import MemoryDeedLog
from adapters.outbound.memory.tenants import MemoryTenants
from adapters.testing.virtual_time import ManualClock
from application.debug_bodies import LONGEST_S, TARGET, DebugBodies
from application.errors import StateUnavailable
from domain.audit import AuditEntry
from domain.callers import Caller, CallerKind
from domain.durations import SECOND_US
from domain.pages import Page
from domain.principal import Principal
from domain.tenants import Role

ADMIN = Principal("user:u", Role.ADMIN)
CHAT = "/v1/chat/completions"
ONE, OTHER = Caller(CallerKind.KEY, "one"), Caller(CallerKind.KEY, "other")
SPAN_US = 60 * SECOND_US


class AwayLog(MemoryAuditLog, MemoryDeedLog):
    """An audit log whose store is away."""

    def __init__(self) -> None:
        """Has nothing."""

    async def note_deed(self, *_: object) -> NoReturn:
        raise StateUnavailable("the database is away")

    async def page(self, *_: object, **__: object) -> NoReturn:
        raise StateUnavailable("the database is away")


class LateLog(MemoryAuditLog):
    """What it reads is long on its way."""

    def __init__(self) -> None:
        self.log = MemoryAuditLog(MemoryTenants())
        self.read, self.arrive = asyncio.Event(), asyncio.Event()

    async def page(self, limit: int, after: str | None = None, target: str | None = None) -> Page[AuditEntry]:
        found = await self.log.page(limit, after, target)
        self.read.set()
        await self.arrive.wait()
        return found


class SlowLog(AwayLog):
    """What is noted is long on its way."""

    def __init__(self) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def note_deed(self, *_: object) -> Any:
        self.begun.set()
        await self.go_on.wait()


class Fleet:
    """Two gateways on one audit log."""

    def __init__(self) -> None:
        self.clock, self.tenants = ManualClock(), MemoryTenants()
        self.here, self.there = self.gateway(), self.gateway()

    def gateway(self, clock: ManualClock | None = None) -> DebugBodies:
        clock = clock or self.clock
        return DebugBodies(MemoryDeedLog(self.tenants, clock), MemoryAuditLog(self.tenants), clock)


async def test_switch_is_off_until_somebody_turns_it_on_and_off_again_after_its_time() -> None:
    fleet = Fleet()
    before = fleet.here.keeps(ONE, CHAT)

    await fleet.here.begin(ADMIN, SPAN_US, None)
    meanwhile = fleet.here.keeps(ONE, CHAT)
    fleet.clock.advance(SPAN_US)

    assert (before, meanwhile) == (False, True)
    assert not fleet.here.keeps(ONE, CHAT)
    assert fleet.here.current is None


@pytest.mark.parametrize("step_us", [-3600 * SECOND_US, 3600 * SECOND_US])
async def test_switch_goes_off_after_its_time_though_the_clock_is_set(step_us: int) -> None:
    fleet = Fleet()
    await fleet.here.begin(ADMIN, SPAN_US, None)
    fleet.clock.step(step_us)

    fleet.clock.advance(SPAN_US - 1)
    assert fleet.here.keeps(ONE, CHAT)
    fleet.clock.advance(1)
    assert not fleet.here.keeps(ONE, CHAT)


async def test_switch_turned_on_where_the_clock_is_ahead_goes_off_elsewhere_after_the_longest_time() -> None:
    fleet, ahead = Fleet(), ManualClock()
    ahead.step(3600 * SECOND_US)
    await fleet.gateway(ahead).begin(ADMIN, SPAN_US, None)
    await fleet.there.refresh()
    shown = fleet.there.current

    fleet.clock.advance(LONGEST_S * SECOND_US - 1)
    fleet.there.lost_track()
    await fleet.there.refresh()
    assert fleet.there.keeps(ONE, CHAT)
    fleet.clock.advance(1)
    assert not fleet.there.keeps(ONE, CHAT)
    fleet.there.lost_track()
    await fleet.there.refresh()

    assert not fleet.there.keeps(ONE, CHAT)
    assert shown is not None
    assert shown.until_us == fleet.clock.now_us()


async def test_switch_is_for_one_key_where_one_is_named() -> None:
    fleet = Fleet()
    await fleet.here.begin(ADMIN, SPAN_US, "one")

    assert fleet.here.keeps(ONE, CHAT)
    for caller in (OTHER, None, Caller(CallerKind.MASTER, "one"), Caller(CallerKind.ANONYMOUS, "one")):
        assert not fleet.here.keeps(caller, CHAT)


async def test_bodies_of_the_admin_api_are_never_kept() -> None:
    fleet = Fleet()
    await fleet.here.begin(ADMIN, SPAN_US, None)

    assert not fleet.here.keeps(ONE, "/admin/v1/keys")


async def test_both_directions_stand_in_the_audit_log() -> None:
    fleet = Fleet()

    wanted = await fleet.here.begin(ADMIN, SPAN_US, "one")
    await fleet.here.end(ADMIN)

    assert [(entry.actor, entry.target) for entry in fleet.tenants.log] == [("user:u", TARGET)] * 2
    assert str(wanted.until_us) in (fleet.tenants.log[0].after or "")
    assert fleet.tenants.log[1].after is None


async def test_other_gateway_follows_and_one_that_starts_later_too() -> None:
    fleet = Fleet()
    await fleet.there.refresh()
    wanted = await fleet.here.begin(ADMIN, SPAN_US, "one")

    fleet.there.changed("key:x")
    await fleet.there.refresh()
    untold = fleet.there.current
    fleet.there.changed(TARGET)
    await fleet.there.refresh()
    later = fleet.gateway()
    await later.refresh()

    assert untold is None
    assert fleet.there.current == later.current == wanted


async def test_other_gateway_goes_off_with_the_first() -> None:
    fleet = Fleet()
    await fleet.here.begin(ADMIN, SPAN_US, None)
    await fleet.there.refresh()

    await fleet.here.end(ADMIN)
    fleet.there.lost_track()
    await fleet.there.refresh()

    assert not fleet.there.keeps(ONE, CHAT)


async def test_what_was_read_before_it_was_turned_off_does_not_turn_it_on_again() -> None:
    fleet, late = Fleet(), LateLog()
    here = DebugBodies(MemoryDeedLog(fleet.tenants, fleet.clock), late, fleet.clock)
    late.log = MemoryAuditLog(fleet.tenants)
    await here.begin(ADMIN, SPAN_US, None)
    reading = asyncio.create_task(here.refresh())
    await late.read.wait()

    await here.end(ADMIN)
    late.arrive.set()
    await reading

    assert not here.keeps(ONE, CHAT)
    await here.refresh()
    assert not here.keeps(ONE, CHAT)


async def test_switch_that_can_not_be_audited_stays_off() -> None:
    away = DebugBodies(AwayLog(), AwayLog(), ManualClock())

    with pytest.raises(StateUnavailable):
        await away.begin(ADMIN, SPAN_US, None)

    assert not away.keeps(ONE, CHAT)


async def test_switch_goes_off_here_though_it_can_not_be_told() -> None:
    fleet = Fleet()
    away = DebugBodies(AwayLog(), MemoryAuditLog(fleet.tenants), fleet.clock)
    await fleet.here.begin(ADMIN, SPAN_US, None)
    await away.refresh()
    assert away.keeps(ONE, CHAT)

    with pytest.raises(StateUnavailable):
        await away.end(ADMIN)

    assert not away.keeps(ONE, CHAT)


async def test_switch_that_went_off_untold_is_not_turned_on_again_by_what_was_before() -> None:
    fleet = Fleet()
    away = DebugBodies(AwayLog(), MemoryAuditLog(fleet.tenants), fleet.clock)
    await fleet.here.begin(ADMIN, SPAN_US, None)
    await away.refresh()
    with pytest.raises(StateUnavailable):
        await away.end(ADMIN)

    away.lost_track()
    await away.refresh()
    still_off = not away.keeps(ONE, CHAT)
    fleet.clock.advance(1)
    await fleet.here.begin(ADMIN, SPAN_US, None)
    away.changed(TARGET)
    await away.refresh()

    assert still_off
    assert away.keeps(ONE, CHAT)


async def test_switch_that_goes_off_is_not_turned_on_while_that_is_being_told() -> None:
    fleet = Fleet()
    await fleet.here.begin(ADMIN, SPAN_US, None)
    slow = SlowLog()
    ending = DebugBodies(slow, MemoryAuditLog(fleet.tenants), fleet.clock)
    await ending.refresh()
    task = asyncio.create_task(ending.end(ADMIN))
    await slow.begun.wait()

    ending.lost_track()
    await ending.refresh()
    meanwhile = ending.keeps(ONE, CHAT)
    slow.go_on.set()
    await task

    assert not meanwhile
    assert not ending.keeps(ONE, CHAT)


async def test_question_that_failed_is_asked_again() -> None:
    fleet = Fleet()
    reading = DebugBodies(AwayLog(), AwayLog(), fleet.clock)
    await reading.refresh()
    await fleet.here.begin(ADMIN, SPAN_US, None)

    reading._audit_log = MemoryAuditLog(fleet.tenants)
    await reading.refresh()

    assert reading.keeps(ONE, CHAT)
