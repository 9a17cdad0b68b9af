"""A store that tells of its changes: after they were made, before it answers, also where the answer was lost."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.outbound.memory.admin_store import MemoryAdminStore
from adapters.outbound.memory.tenants import MemoryTenants
from adapters.testing.virtual_time import ManualClock
from application.administration.telling_store import TellingAdminStore
from application.errors import StateUnavailable
from domain.audit import AuditEntry, Change
from domain.tenants import Team, TeamId

TEAM = Team(TeamId("T"), "t")
CHANGES = [Change("team.create", "team:T", None, TEAM), Change("team.update", "team:T", TEAM, Team(TEAM.id, "new"))]


@dataclass
class SpyFollower:
    tenants: MemoryTenants
    told: list[tuple[str, int]] = field(default_factory=list)

    def changed(self, target: str) -> None:
        self.told.append((target, len(self.tenants.log)))

    def lost_track(self) -> None:
        raise AssertionError("nothing is lost")


class AnswerlessStore(MemoryAdminStore):
    async def apply(self, changes: Sequence[Change[Any]], actor: str) -> Sequence[AuditEntry]:
        await super().apply(changes, actor)
        raise StateUnavailable("no answer")


async def test_followers_are_told_after_the_change_and_before_the_answer() -> None:
    tenants = MemoryTenants()
    spies = [SpyFollower(tenants), SpyFollower(tenants)]
    store = TellingAdminStore(MemoryAdminStore(tenants, ManualClock()), spies)

    entries = await store.apply(CHANGES, "test")

    assert [entry.revision for entry in entries] == [1, 2]
    assert [spy.told for spy in spies] == [[("team:T", 2), ("team:T", 2)]] * 2
    assert (await store.get(Team, "T"), (await store.page(Team, 5)).items) == (CHANGES[1].after, (CHANGES[1].after,))
    assert (await store.page(Team, 5, None, {"name": "t"})).items == ()


async def test_followers_are_told_of_what_may_have_been_changed_where_there_was_no_answer() -> None:
    tenants = MemoryTenants()
    spy = SpyFollower(tenants)

    with pytest.raises(StateUnavailable):
        await TellingAdminStore(AnswerlessStore(tenants, ManualClock()), [spy]).apply(CHANGES[:1], "test")

    assert spy.told == [("team:T", 1)]
