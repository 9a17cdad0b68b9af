"""What must hold of ledger, budgets and Redis when a fault is over: nothing lost, nothing twice, nothing held."""

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from redis.asyncio import RedisCluster

from adapters.outbound.redis.connection import connect
from tests.e2e.money_books import Books, Row
from tests.e2e.money_fleet import MoneyFleet
from tests.e2e.money_tenants import Key, standings
from tests.e2e.money_world import CACHED_TOKENS, asked_for, cost_nano, settled
from tests.e2e.openai_wire import INPUT_TOKENS
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually
from tests.processes.crowd import FLOW, Crowd, End
from tests.servers.fixtures import PATIENT
from tests.servers.inspection import keys_of, ttl_of_keys

PREFIX = "mg:v1:"
NO_TTL = -1
LEASE_S = 30.0
USED = (INPUT_TOKENS, CACHED_TOKENS, FLOW.chunks)


@dataclass(frozen=True, slots=True)
class Audit:
    """`lost`: calls without a row. `doubled`: rows without a call that claim one, and calls with two."""

    books: Books
    lost: int
    doubled: int


async def audit(
    money: MoneyFleet, upstream: ScriptedUpstream, keys: list[Key], since_s: float, *, within_s: float
) -> Audit:
    """Waits until all is written down, and counts what is missing and what is there twice."""
    books = await settled(money, upstream, keys, since_s, within_s=within_s)
    asked, rows = asked_for(upstream, since_s), Counter(row.request_id for row in books.rows if claims_a_call(row))
    twice = len(books.rows) - len({(row.request_id, row.attempt) for row in books.rows})
    return Audit(books, (asked - books.attempts).total(), (rows - asked).total() + twice)


def claims_a_call(row: Row) -> bool:
    """An attempt whose end nobody heard may never have arrived; the policy is to write it down all the same."""
    return row.outcome == "success"


async def check(money: MoneyFleet, store_url: str, crowd: Crowd, found: Audit) -> None:
    """Everything but what clients were told, which is the fault's own matter."""
    assert (found.lost, found.doubled) == (0, 0), found
    assert found.books.by_ledger == found.books.by_days
    shown = await standings(money.fleet.next())
    spent = {name: one.spent_nano for name, one in shown.items() if one.spent_nano}
    ledger = {name: nano for name, nano in found.books.by_ledger.items() if name in shown and nano}
    wrong = {name: spent.get(name, 0) - ledger.get(name, 0) for name in spent | ledger}
    assert not any(wrong.values()), f"more in the store of budgets than in the ledger: {wrong}"
    assert {name: one.reserved_nano for name, one in shown.items() if one.reserved_nano} == {}
    _check_rows(found.books, crowd)
    await nothing_is_leased(store_url)
    assert await lasting_keys(store_url) == []


def _check_rows(books: Books, crowd: Crowd) -> None:
    successes = {row.request_id: row for row in books.rows if row.outcome == "success"}
    for one in crowd.answers:
        if one.end is End.WHOLE:
            row = successes[one.request_id]
            assert (row.input_tokens, row.cached_input_tokens, row.output_tokens) == USED, row
            assert (row.estimated, row.cost_nano) == (False, cost_nano(*USED)), row


async def nothing_is_leased(url: str) -> None:
    """Returns when no lease is left that has not expired."""

    async def none_left() -> bool:
        return not await leases(url)

    await eventually(none_left, within_s=LEASE_S + 3, what="no slot is leased")


async def leases(url: str) -> list[bytes]:
    """What is leased and has not expired."""
    client: Any = connect(url, PATIENT)
    found: list[bytes] = []
    try:
        for key in await keys_of(url, PREFIX):
            if key.endswith(":leases"):
                found += await client.zrangebyscore(key, f"({time.time() * 1e6:.0f}", "+inf")
        return found
    finally:
        await client.aclose()


async def lasting_keys(url: str) -> list[str]:
    """Keys without a TTL that should have one: all but those of the usage stream."""
    ttls = await ttl_of_keys(url, PREFIX)
    return [key for key, ttl_ms in ttls.items() if ttl_ms == NO_TTL and not key.startswith(f"{PREFIX}{{u:")]


async def size(url: str) -> int:
    """How many keys there are."""
    client: Any = connect(url, PATIENT)
    try:
        options = {"target_nodes": RedisCluster.PRIMARIES} if isinstance(client, RedisCluster) else {}
        found = await client.execute_command("DBSIZE", **options)
        return sum(found.values()) if isinstance(found, dict) else int(found)
    finally:
        await client.aclose()
