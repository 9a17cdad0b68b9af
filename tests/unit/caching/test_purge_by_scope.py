"""What an operator calls a scope, and what is purged then."""

import pytest

from adapters.outbound.memory.deed_log import MemoryDeedLog
from adapters.outbound.memory.tenants import MemoryTenants
from adapters.testing.virtual_time import ManualClock, run_virtual
from application.administration.noting import Noting
from application.errors import ItemNotFound
from application.use_cases.admin.cache import AdministerCache
from domain.caching import CacheControl, CachePolicy, CacheScope
from domain.callers import Caller, CallerKind
from domain.principal import Principal
from domain.tenants import Role
from tests.unit.caching.fleet import CachingGateway, SharedReplies, key_of

MASTER = Principal("master", Role.ADMIN)
CALLERS = {
    "T/U/K": key_of("K"),
    "T/U/L": key_of("L"),
    "T/V/M": key_of("M", user_id="V"),
    "S/U/N": key_of("N", team="S"),
    "U/O": Caller(CallerKind.KEY, "O", tenant="user:U", user_id="U"),
    "P": Caller(CallerKind.KEY, "P"),
    "TT/UU/KK": key_of("KK", team="TT", user_id="UU"),
}

PURGED: list[tuple[CacheScope, str, set[str]]] = [
    (CacheScope.TEAM, "team:T", {"T/U/K", "T/U/L", "T/V/M"}),
    (CacheScope.TEAM, "user:U", {"U/O"}),
    (CacheScope.TEAM, "key:P", {"P"}),
    (CacheScope.USER, "team:T", {"T/U/K", "T/U/L", "T/V/M"}),
    (CacheScope.USER, "user:U", {"T/U/K", "T/U/L", "S/U/N", "U/O"}),
    (CacheScope.USER, "team:T/user:U", {"T/U/K", "T/U/L"}),
    (CacheScope.KEY, "team:T", {"T/U/K", "T/U/L", "T/V/M"}),
    (CacheScope.KEY, "user:U", {"U/O"}),
    (CacheScope.KEY, "key:K", {"T/U/K"}),
    (CacheScope.KEY, "key:P", {"P"}),
    (CacheScope.GLOBAL, "global", set(CALLERS)),
]


def administering(shared: SharedReplies) -> AdministerCache:
    return AdministerCache(shared.cache, Noting(MemoryDeedLog(MemoryTenants(), ManualClock())))


async def stored(shared: SharedReplies, scope: CacheScope) -> CachingGateway:
    gateway = CachingGateway(shared, policy=CachePolicy(scope=scope))
    for caller in CALLERS.values():
        await gateway.complete(caller=caller)
        await gateway.here.settle()
    await gateway.uses.flush()
    return gateway


@pytest.mark.parametrize(("scope", "name", "whose"), PURGED)
def test_a_purge_by_the_name_of_a_team_a_user_or_a_key_forgets_what_is_part_of_it(
    scope: CacheScope, name: str, whose: set[str]
) -> None:
    async def scenario() -> None:
        shared = SharedReplies()
        gateway = await stored(shared, scope)
        cache = administering(shared)
        seen, before = await cache.stats(name), (await shared.cache.stats()).entries

        purged = await cache.purge(MASTER, name)

        assert (seen.entries, purged) == (purged, before - (await shared.cache.stats()).entries)
        for caller_name, caller in CALLERS.items():
            # Nothing new is stored meanwhile: one who asks would answer the next one.
            trace = (await gateway.complete(caller=caller, cache=CacheControl.NO_STORE)).trace
            assert (trace.cache == "miss") is (caller_name in whose), caller_name

    run_virtual(scenario())


@pytest.mark.parametrize("name", ["team:X", "key:K", "T", "team:T/", "/", "te", "*"])
def test_a_purge_of_what_nobody_has_says_how_scopes_are_called(name: str) -> None:
    async def scenario() -> None:
        shared = SharedReplies()
        await stored(shared, CacheScope.TEAM)
        cache = administering(shared)

        with pytest.raises(ItemNotFound, match="team:<id>"):
            await cache.purge(MASTER, name)
        assert (await cache.stats(name)).entries == 0
        assert await cache.purge(MASTER, None) == len({caller.account for caller in CALLERS.values()})

    run_virtual(scenario())
