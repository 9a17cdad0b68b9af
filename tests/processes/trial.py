"""Gateways on real stores under load, a fault, and all that must hold of it afterwards."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.fleet import Fleet, running_fleet
from tests.e2e.gateway_process import instance
from tests.e2e.keys.key_fleet import HEARD_WITHIN_S
from tests.e2e.money_fleet import MoneyFleet, money_document
from tests.e2e.money_tenants import Key, budget, make_key, make_member, make_team
from tests.e2e.money_world import PRICES
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.processes.books import Audit, audit, check
from tests.processes.crowd import FLOW, MODEL, Crowd, End, ask
from tests.processes.figures import Figure, record
from tests.servers.redis_servers import RedisServer

BEFORE_S, AFTER_S = 1.0, 2.0
UNAVAILABLE = "refused 503 state_unavailable"
Strike = Callable[[], Awaitable[float]]
"""Does it, and returns the moment at which it was over."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done, and what clients may be told because of it.

    Attributes:
        told: As `Crowd.errors` names them.
        recovers_s: How soon after it every gateway must serve as before.
        settles_s: How soon after that all books must agree.
        settled: Waited for before each key asks once more: what a hard budget has come to is counted again then.
    """

    name: str
    strike: Strike
    told: frozenset[str] = frozenset()
    recovers_s: float = 5.0
    settles_s: float = 60.0
    settled: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """The gateways and what they share. `store_url` and that of the fleet's database lead past any proxy."""

    money: MoneyFleet
    upstream: ScriptedUpstream
    keys: list[Key]
    store_url: str
    since_s: float

    def crowd(self) -> Crowd:
        """Clients of its keys."""
        return Crowd(self.money.fleet, self.keys)

    async def endures(self, fault: Fault) -> None:
        """Clients ask, it happens, and everything is as it must be."""
        async with self.crowd() as crowd:
            await asyncio.sleep(BEFORE_S)
            back_s = await fault.strike()
            await crowd.recovers(back_s, within_s=fault.recovers_s)
            await asyncio.sleep(AFTER_S)
        if fault.settled is not None:
            await fault.settled()
            await all_are_served(self.money.fleet, self.keys)
        await self.holds(fault, crowd, back_s)

    async def holds(self, fault: Fault, crowd: Crowd, back_s: float) -> Audit:
        """Records what came of it, and checks that."""
        began_s = time.monotonic()
        found = await audit(self.money, self.upstream, self.keys, self.since_s, within_s=fault.settles_s)
        errors, recovery_s = crowd.errors(), crowd.recovery_s(back_s)
        test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]
        count = len(crowd.answers)
        record(Figure(fault.name, test, count, errors.total(), found.lost, found.doubled, round(recovery_s, 2)))
        settled_s = time.monotonic() - began_s
        told = f"{count} requests, {dict(errors)}, well after {recovery_s:.2f} s, {settled_s:.1f} s to settle"
        print(f"\n{fault.name}: {told}")  # noqa: T201 - with -s
        assert set(errors) <= fault.told, errors
        assert recovery_s <= fault.recovers_s
        await check(self.money, self.store_url, crowd, found)
        for gateway in self.money.fleet.gateways:
            assert "Traceback" not in gateway.log.read_text(encoding="utf-8", errors="replace")
        return found


@asynccontextmanager
async def running_trial(
    folder: Path,
    upstream: ScriptedUpstream,
    store: RedisServer,
    database_url: str,
    *,
    store_url: str = "",
    by: Mapping[str, str] | None = None,
    size: int = 2,
    **sections: object,
) -> AsyncIterator[Trial]:
    """`size` gateways on empty stores, with the time limits of the default configuration.

    `by` names other addresses at which they are to reach `store`, `database` and `upstream`.
    """
    by, store_url = by or {}, store_url or store.url
    upstream.lane(MODEL).default = FLOW
    models = [instance(MODEL, by.get("upstream", upstream.base_url), timeout="3s", max_parallel=1_000, **PRICES)]
    document = money_document(by.get("store", store_url), by.get("database", database_url), models)
    document |= {"redis": {"url": by.get("store", store_url)}, **sections}
    since_s = time.monotonic()
    async with running_fleet(document, size, folder) as fleet:
        gateway = fleet.gateways[0]
        keys: list[Key] = []
        for name in ("blue", "red"):
            team = await make_team(gateway, name, budget("1000"))
            user = await make_member(gateway, team, name, budget("1000"))
            keys += [await make_key(gateway, f"{name}-{number}", team, user, budget("1000")) for number in (1, 2)]
        await known_everywhere(fleet, keys)
        yield Trial(MoneyFleet(fleet, store, database_url), upstream, keys, store_url, since_s)


async def known_everywhere(fleet: Fleet, keys: Sequence[Key]) -> None:
    """Returns when every gateway keeps these keys, and has heard of their making."""
    await asyncio.sleep(HEARD_WITHIN_S)
    await all_are_served(fleet, keys)


async def all_are_served(fleet: Fleet, keys: Sequence[Key]) -> None:
    """Each key asks each gateway once."""
    for gateway in fleet.gateways:
        assert {(await ask(gateway, key)).end for key in keys} == {End.WHOLE}
