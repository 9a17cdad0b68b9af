"""Two gateways whose Postgres crashes, and freezes: what is known goes on, no key is called unknown, no row is lost."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from domain.keys import mint
from tests.e2e import raw_http
from tests.e2e.gateway_process import instance, start_gateway, tail, until_ready
from tests.e2e.keys.key_fleet import Key, KeyFleet, admin, ask, key_fleet, own_postgres, rows
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually
from tests.servers.postgres_servers import PostgresServer
from tests.servers.redis_servers import standalone, valkey_binary

pytestmark = pytest.mark.asyncio(loop_scope="module")

BACK_WITHIN_S = 15
FIRST_WITHIN_S = 3.5  # a database that hangs is called silent after 2 s
WITHIN_S = 1.0
PRICED = {"input_cost_per_token": "0.000001", "output_cost_per_token": "0.000002"}


@dataclass(frozen=True, slots=True)
class Outage:
    """How the database goes, and comes back."""

    begin: Callable[[PostgresServer], None]
    end: Callable[[PostgresServer], None]


CRASH = Outage(PostgresServer.kill, PostgresServer.start_again)
FREEZE = Outage(lambda server: server.signal(signal.SIGSTOP), lambda server: server.signal(signal.SIGCONT))


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with own_postgres() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(
    upstream: ScriptedUpstream, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[KeyFleet]:
    models = [instance("gpt", upstream.base_url, **PRICED)]
    with standalone(valkey_binary()) as redis:
        async with key_fleet(redis.url, postgres.url, models, tmp_path_factory.mktemp("down")) as running:
            yield running


async def timed(asking: Any) -> tuple[raw_http.RawReply, float]:
    began_s = time.monotonic()
    return await asking, time.monotonic() - began_s


def said(reply: raw_http.RawReply) -> tuple[int, str]:
    return reply.status, "" if reply.status == 200 else reply.json()["error"]["code"]


async def seen_everywhere(fleet: KeyFleet) -> None:
    """Returns when every gateway knows that its database is away."""

    async def told() -> bool:
        replies = await fleet.fleet.each(lambda each: raw_http.exchange(each.port, raw_http.get("/ready")))
        return all(b"does not answer" in reply.body for reply in replies)

    await eventually(told, within_s=10, what="both gateways say that a store does not answer")


async def while_it_is_away(fleet: KeyFleet, cached: Key, uncached: Key) -> Counter[str]:
    """What the gateways answer meanwhile; the slowest answer of each kind, in milliseconds."""
    slowest: Counter[str] = Counter()
    nobodys = mint(12345 << 100).text
    for _ in range(3):
        for gateway in fleet.gateways:
            for name, secret, expected in (
                ("cached", cached.secret, (200, "")),
                ("master", gateway.key, (200, "")),
                ("uncached", uncached.secret, (503, "state_unavailable")),
                ("nobody's", nobodys, (503, "state_unavailable")),
            ):
                reply, took_s = await timed(ask(gateway, secret))
                assert (name, said(reply)) == (name, expected)
                slowest[name] = max(slowest[name], round(1000 * took_s))
    told = await asyncio.gather(*(timed(admin(gateway, "GET", "/keys")) for gateway in fleet.gateways))
    assert {said(reply) for reply, _ in told} == {(503, "state_unavailable")}
    slowest["admin"] = round(1000 * max(took_s for _, took_s in told))
    return slowest


@pytest.mark.parametrize("outage", [CRASH, FREEZE], ids=["stopped at once", "frozen"])
async def test_a_database_that_is_away_costs_known_keys_nothing_and_is_never_a_401(
    fleet: KeyFleet, postgres: PostgresServer, upstream: ScriptedUpstream, outage: Outage
) -> None:
    cached, uncached = await fleet.key(), await fleet.key()
    await fleet.keep(cached.secret)

    await asyncio.to_thread(outage.begin, postgres)
    try:
        at_first = await asyncio.gather(*(timed(ask(each, uncached.secret)) for each in fleet.gateways))
        await seen_everywhere(fleet)
        slowest = await while_it_is_away(fleet, cached, uncached)
    finally:
        await asyncio.to_thread(outage.end, postgres)
    began_s = time.monotonic()

    async def good() -> bool:
        return {reply.status for reply in await fleet.everywhere(uncached.secret)} == {200}

    await eventually(good, within_s=BACK_WITHIN_S, what="the other key is good everywhere")
    good_s = time.monotonic() - began_s
    asked = len(upstream.lane("gpt").requests)

    async def told() -> bool:
        await asyncio.sleep(0.1)
        found = await rows(postgres.url, "SELECT count(*) AS number FROM ledger")
        return bool(found[0]["number"] >= asked)

    await eventually(told, within_s=30, what="every row is there")
    rows_s = time.monotonic() - began_s
    print(f"first {[(said(reply), round(s, 2)) for reply, s in at_first]}; slowest in ms {dict(slowest)}")  # noqa: T201
    print(f"back: keys after {good_s:.2f} s, rows after {rows_s:.2f} s")  # noqa: T201 - the figures
    assert {said(reply) for reply, _ in at_first} == {(503, "state_unavailable")}
    assert max(took_s for _, took_s in at_first) < FIRST_WITHIN_S
    assert max(slowest[name] for name in ("cached", "master", "uncached", "nobody's")) < 1_000 * WITHIN_S
    await check(fleet, upstream, cached)


@pytest.mark.long
async def test_a_gateway_that_starts_while_the_database_is_away_calls_no_key_wrong_and_recovers_by_itself(
    fleet: KeyFleet, postgres: PostgresServer, tmp_path: Path
) -> None:
    key = await fleet.key()
    await asyncio.to_thread(postgres.kill)
    late = start_gateway(fleet.fleet.document, tmp_path, key=fleet.fleet.key)
    try:

        async def serves() -> bool:
            with suppress(OSError, EOFError):
                return said(await ask(late, late.key)) == (200, "")
            return False

        await eventually(serves, within_s=30, what="it serves the master key")
        assert said(await ask(late, key.secret)) == (503, "state_unavailable")
        assert (await raw_http.exchange(late.port, raw_http.get("/ready"))).status == 503
        await asyncio.to_thread(postgres.start_again)
        began_s = time.monotonic()

        async def good() -> bool:
            reply = await ask(late, key.secret)
            assert reply.status in {200, 503}
            return reply.status == 200

        await eventually(good, within_s=BACK_WITHIN_S, what="the key is good")
        print(f"good {time.monotonic() - began_s:.2f} s after the database was back")  # noqa: T201 - the figure
        await until_ready(late)
        late.terminate()
        assert await late.exited() == 0, tail(late)
    finally:
        late.process.kill()
        late.process.wait()


async def check(fleet: KeyFleet, upstream: ScriptedUpstream, cached: Key) -> None:
    """One row for each request that reached the upstream, sums that agree, and no traceback in any log."""
    database = fleet.database_url
    (ledger,) = await rows(database, "SELECT count(*) AS number, sum(cost_nano)::bigint AS cost FROM ledger")
    (days,) = await rows(
        database, "SELECT sum(attempts)::bigint AS number, sum(cost_nano)::bigint AS cost FROM usage_days"
    )
    assert ledger == days
    assert ledger["number"] == len(upstream.lane("gpt").requests)
    (mine,) = await rows(database, "SELECT count(*) AS number FROM ledger WHERE key_id = $1", cached.id)
    assert mine["number"] == 2 + 6
    for gateway in fleet.gateways:
        assert gateway.process.poll() is None
        assert "Traceback" not in gateway.log.read_text()
