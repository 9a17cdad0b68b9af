"""Redis is away: limits hold as shares, or not at all, or nobody who is limited comes in, as configured."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e import raw_http
from tests.e2e.behaviour import Behaviour
from tests.e2e.fleet import Fleet, running_fleet
from tests.e2e.gateway_process import Gateway, instance
from tests.e2e.outage_fleet import PATIENT, PREFIX, acquainted, answered, lasting_keys, outage_document
from tests.e2e.outage_story import RECOVERY_S, ring_sum
from tests.e2e.outages import DURABLE
from tests.e2e.scripted_upstream import ScriptedUpstream, peak_overlap
from tests.e2e.support import eventually
from tests.servers.redis_servers import RedisServer, standalone, valkey_binary

pytestmark = pytest.mark.asyncio(loop_scope="module")

Spread = Counter[tuple[int, str | None]]
"""How often each status came with each `x-moongate-degraded`."""

ALONE = "rate_limit,routing"
CALLERS_RPM, INSTANCE_RPM, PARALLEL = 11, 21, 3
BEFORE = 4
"""So many has Redis admitted before it goes away."""

SHARES = {CALLERS_RPM: 6, INSTANCE_RPM: 11, PARALLEL: 2}
"""Of one of two gateways: the half, rounded up."""

SLOW = Behaviour(delay_s=1.0)


@dataclass(frozen=True, slots=True)
class Fleets:
    """By policy. Each keeps to a prefix of its own, all to one Redis."""

    degrade: Fleet
    open: Fleet
    closed: Fleet

    @property
    def all(self) -> tuple[Fleet, ...]:
        return (self.degrade, self.open, self.closed)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with standalone(valkey_binary(), *DURABLE) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleets(
    upstream: ScriptedUpstream, server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Fleets]:
    """In an outage that began when Redis had admitted a few."""
    upstream.lane("slots").default = SLOW
    async with AsyncExitStack() as stack:

        async def started(policy: str, size: int, prefix: str) -> Fleet:
            folder: Path = tmp_path_factory.mktemp(policy)
            return await stack.enter_async_context(
                running_fleet(document(upstream, server, policy, prefix), size, folder)
            )

        starting = (started("degrade", 2, PREFIX), started("open", 1, "open:"), started("closed", 1, "closed:"))
        fleets = Fleets(*await asyncio.gather(*starting))
        await acquainted(2, server.url)
        for fleet in fleets.all:
            await answered(fleet)
            assert await as_strangers(fleet, BEFORE // len(fleet.gateways)) == {(200, None): BEFORE}
        assert await as_master(fleets.degrade, "minute", BEFORE // 2) == {(200, None): BEFORE}
        await asyncio.to_thread(server.kill)
        yield fleets


def document(upstream: ScriptedUpstream, server: RedisServer, policy: str, prefix: str) -> dict[str, object]:
    url = upstream.base_url
    models = [
        instance("callers", url),
        instance("minute", url, rpm=INSTANCE_RPM),
        instance("slots", url, max_parallel=PARALLEL),
    ]
    auth = {"master_key": "${MOONGATE_MASTER_KEY:-}", "require_auth": False}
    limits = {"chat_completions_rpm": CALLERS_RPM, "on_store_failure": policy}
    return outage_document(server.url, models, prefix=prefix, bound=PATIENT, auth=auth, rate_limit=limits)


async def asked(fleet: Fleet, model: str, each: int, headers: Mapping[str, str]) -> Spread:
    """`each` requests, one after the other, to every gateway."""

    async def ask(gateway: Gateway) -> Spread:
        request = raw_http.post("/v1/chat/completions", raw_http.chat(model), headers)
        return summary([await raw_http.exchange(gateway.port, request) for _ in range(each)])

    return sum([await ask(gateway) for gateway in fleet.gateways], Counter())


async def as_strangers(fleet: Fleet, each: int) -> Spread:
    """Callers without a key, who are one caller: they share an address."""
    return await asked(fleet, "callers", each, {})


async def as_master(fleet: Fleet, model: str, each: int) -> Spread:
    """The caller whom no limit of callers concerns."""
    return await asked(fleet, model, each, {"authorization": f"Bearer {fleet.gateways[0].key}"})


def summary(replies: list[raw_http.RawReply]) -> Spread:
    return Counter((reply.status, reply.headers.get("x-moongate-degraded")) for reply in replies)


async def test_each_gateway_admits_its_share_of_what_a_caller_may(fleets: Fleets) -> None:
    share = SHARES[CALLERS_RPM]

    assert await as_strangers(fleets.degrade, share + 2) == {
        (200, ALONE): 2 * share,
        (429, "rate_limit"): 2 * 2,
    }


async def test_open_policy_admits_callers_over_their_limit_and_says_so(fleets: Fleets) -> None:
    assert await as_strangers(fleets.open, 2 * CALLERS_RPM) == {(200, ALONE): 2 * CALLERS_RPM}


async def test_closed_policy_refuses_limited_callers_for_want_of_state_and_nobody_else(fleets: Fleets) -> None:
    gateway = fleets.closed.gateways[0]
    request = raw_http.post("/v1/chat/completions", raw_http.chat("callers"))

    replies = [await raw_http.exchange(gateway.port, request) for _ in range(5)]

    assert [(reply.status, reply.json()["error"]["code"]) for reply in replies] == [(503, "state_unavailable")] * 5
    assert await as_master(fleets.closed, "callers", 3) == {(200, "routing"): 3}


async def test_each_gateway_fills_its_share_of_the_requests_of_an_instance(
    fleets: Fleets, upstream: ScriptedUpstream
) -> None:
    share = SHARES[INSTANCE_RPM]

    assert await as_master(fleets.degrade, "minute", share + 2) == {
        (200, "routing"): 2 * share,
        (503, "routing"): 2 * 2,
    }
    assert len(upstream.lane("minute").requests) == BEFORE + 2 * share


async def test_each_gateway_fills_its_share_of_the_slots_of_an_instance(
    fleets: Fleets, upstream: ScriptedUpstream
) -> None:
    share, each = SHARES[PARALLEL], SHARES[PARALLEL] + 2

    replies = await asyncio.gather(*(gateway.chat("slots") for _ in range(each) for gateway in fleets.degrade.gateways))

    assert summary(replies) == {(200, "routing"): 2 * share, (503, "routing"): 2 * 2}
    assert peak_overlap(upstream.lane("slots").requests) == 2 * share
    # What was taken locally is given back locally.
    upstream.lane("slots").default = Behaviour()
    assert await as_master(fleets.degrade, "slots", share) == {(200, "routing"): 2 * share}


async def test_what_was_admitted_alone_is_never_counted_by_redis(fleets: Fleets, server: RedisServer) -> None:
    await asyncio.to_thread(server.start)  # Here the outage ends, so that this test is the last one.
    await asyncio.gather(*(shared_again(fleet) for fleet in fleets.all))

    assert ring_sum(server.url, "minute") == BEFORE
    assert await as_master(fleets.degrade, "minute", INSTANCE_RPM) == {
        (200, None): INSTANCE_RPM - BEFORE,
        (503, None): INSTANCE_RPM + BEFORE,
    }
    for fleet in fleets.all:
        count = CALLERS_RPM * len(fleet.gateways)
        left = CALLERS_RPM - BEFORE
        assert await as_strangers(fleet, CALLERS_RPM) == {(200, None): left, (429, None): count - left}
    for prefix in (PREFIX, "open:", "closed:"):
        assert await lasting_keys(server.url, prefix) == []


async def shared_again(fleet: Fleet) -> None:
    async def shared() -> bool:
        return await as_master(fleet, "slots", 1) == {(200, None): len(fleet.gateways)}

    await eventually(shared, within_s=RECOVERY_S, what="Redis decides again")
