"""A random history of changes leaves the same in memory and in a database, and is told and refused the same way."""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbound.memory.admin_store import MemoryAdminStore
from adapters.outbound.memory.audit_log import MemoryAuditLog
from adapters.outbound.memory.deed_log import MemoryDeedLog
from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.memory.tenants import MemoryTenants
from adapters.outbound.sql.schema import upgrade
from adapters.testing.tenants_support import KEY, MEMBERSHIP, PRICE, TEAM, USER, Tenants, budget
from adapters.testing.virtual_time import ManualClock
from application.ports.admin_store import AlreadyThere, ChangedMeanwhile, StillInUse
from domain.audit import Change
from domain.budget.terms import OwnerKind
from domain.stored import NOUNS, Stored, id_of
from domain.tenants import TeamId, UserId
from domain.virtual_key import KeyId
from tests.contract.tenant_stores import tenants_on
from tests.examples import examples
from tests.servers.databases import opened

USERS = [replace(USER, id=UserId(name), email=email) for name in ("a", "A") for email in ("a@b", "b@b")]
TEAMS = [replace(TEAM, id=TeamId(name), name=title) for name in ("t", "None") for title in ("one", "two")]
MEMBERS = [replace(MEMBERSHIP, team_id=team.id, user_id=user.id) for team in TEAMS[::2] for user in USERS[::2]]
KEYS = [
    replace(KEY, id=KeyId(name), user_id=user_id, team_id=team_id, revoked_at_us=revoked_at_us, digest=digest * 32)
    for name, digest in (("k", b"1"), ("K", b"2"), ("K", b"1"))
    for user_id, team_id in ((USERS[0].id, None), (USERS[2].id, TEAMS[0].id))
    for revoked_at_us in (None, 3)
]
OWNERS = [(OwnerKind.KEY, "k"), (OwnerKind.USER, "a"), (OwnerKind.TEAM, "t"), (OwnerKind.MEMBER, "t:a")]
BUDGETS = [budget(kind, owner, amount) for kind, owner in OWNERS for amount in (1, 2)]
PRICES = [replace(PRICE, model=model) for model in ("é", "e")]
ITEMS: list[Stored] = [*USERS, *TEAMS, *MEMBERS, *KEYS, *BUDGETS, *PRICES]

_ADDED = st.builds(lambda item: Change("add", "x", None, item), st.sampled_from(ITEMS))
_REPLACED = st.builds(
    lambda before, after: Change("replace", "y", before, after if id_of(after) == id_of(before) else before),
    st.sampled_from(ITEMS),
    st.sampled_from(ITEMS),
)
_REMOVED = st.builds(lambda item: Change("remove", "z", item, None), st.sampled_from(ITEMS))
# Much is added, for much to be there.
HISTORIES = st.lists(st.lists(_ADDED | _ADDED | _REPLACED | _REMOVED, min_size=1, max_size=3), min_size=10, max_size=40)


async def answer(tenants: Tenants, changes: Sequence[Change[Any]]) -> object:
    """What comes of these changes, be it a refusal."""
    try:
        return list(await tenants.store.apply(changes, "tester"))
    except (AlreadyThere, ChangedMeanwhile, StillInUse, ValueError) as refusal:
        return type(refusal), str(refusal)


async def picture(tenants: Tenants) -> list[object]:
    """All that is there, in pages of two."""
    seen: list[object] = [await tenants.log.page(3), await tenants.log.since(2, 3), await tenants.log.latest()]
    for kind in NOUNS:
        page = await tenants.store.page(kind, 2)
        seen.append(page)
        while page.next is not None:
            page = await tenants.store.page(kind, 2, page.next)
            seen.append(page)
    return seen + [await tenants.keyring.grant_of(digest * 32) for digest in (b"1", b"2")]


async def compare(history: Sequence[Sequence[Change[Any]]], folder: str) -> None:
    state, clock = MemoryTenants(), ManualClock()
    deeds = MemoryDeedLog(state, clock)
    memory = Tenants(MemoryAdminStore(state, clock), MemoryAuditLog(state), MemoryKeyring(state), clock, deeds)
    async with opened(f"sqlite:///{folder}/a.db") as engine:
        await upgrade(engine)
        sql = tenants_on(engine)
        for changes in history:
            assert await answer(sql, changes) == await answer(memory, changes)
        assert await picture(sql) == await picture(memory)


@settings(max_examples=examples(25))
@given(HISTORIES)
def test_memory_and_sqlite_agree_on_every_history(history: list[list[Change[Any]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(compare(history, folder))
