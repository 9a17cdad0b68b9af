"""The limits of keys over two gateways: counted once, refused before they cost anything, told exactly."""

import asyncio
import math
import re
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e import raw_http
from tests.e2e.behaviour import Behaviour
from tests.e2e.gateway_process import Gateway, instance
from tests.e2e.keys.key_fleet import CHAT, KeyFleet, ask, key_fleet
from tests.e2e.scripted_upstream import ScriptedUpstream, peak_overlap
from tests.e2e.support import eventually
from tests.servers.databases import own_database
from tests.servers.postgres_servers import PostgresServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

RPM = 6
USED_TOKENS = 15  # of each reply of the scripted upstream
GO_DURATION = re.compile(r"(?:(\d+)m)?(\d+(?:\.\d+)?)s|(\d+)ms|0s")


async def at_once(keys: KeyFleet, secret: str, count: int, model: str = "mini") -> list[raw_http.RawReply]:
    return list(await asyncio.gather(*(ask(keys.fleet.next(), secret, model) for _ in range(count))))


async def test_audit_4_a_key_gets_its_requests_per_minute_once_over_all_gateways(keys: KeyFleet) -> None:
    key = await keys.key(limits={"rpm": RPM})

    replies = await at_once(keys, key.secret, 4 * RPM)

    assert Counter(reply.status for reply in replies) == {200: RPM, 429: 3 * RPM}
    left = sorted(int(reply.headers["x-ratelimit-remaining-requests"]) for reply in replies if reply.status == 200)
    assert left == list(range(RPM))
    for reply in replies:
        assert reply.headers["x-ratelimit-limit-requests"] == str(RPM)
        assert reply.headers["ratelimit-policy"] == f'"rpm";q={RPM};w=60'
        assert GO_DURATION.fullmatch(reply.headers["x-ratelimit-reset-requests"])
        stood = re.fullmatch(r'"rpm";r=(\d+);t=(\d+)', reply.headers["ratelimit"])
        assert stood is not None
        assert stood[1] == reply.headers["x-ratelimit-remaining-requests"]
    for refused in (reply for reply in replies if reply.status == 429):
        wait_ms = int(refused.headers["retry-after-ms"])
        assert int(refused.headers["retry-after"]) == math.ceil(wait_ms / 1000)
        assert 55_000 < wait_ms <= 61_000
        assert refused.json()["error"]["code"] == "rate_limit_exceeded"


@pytest.mark.parametrize("owner", ["users", "teams"])
async def test_audit_4_keys_of_one_user_or_team_share_its_limit(keys: KeyFleet, owner: str) -> None:
    named = {"users": {"email": "limited@example.org"}, "teams": {"name": "limited"}}[owner]
    made = await keys.made(f"/{owner}", limits={"rpm": RPM}, **named)
    pair = [await keys.key(**{f"{owner[:-1]}_id": made["id"]}) for _ in range(2)]

    found = await asyncio.gather(*(at_once(keys, key.secret, RPM) for key in pair))

    assert Counter(reply.status for replies in found for reply in replies) == {200: RPM, 429: RPM}


async def test_audit_4_a_changed_limit_holds_everywhere_within_a_second(keys: KeyFleet) -> None:
    key = await keys.key(limits={"rpm": 100})
    await keys.keep(key.secret)

    await keys.changed(f"/keys/{key.id}", limits={"rpm": 7})

    async def told() -> bool:
        replies = await keys.everywhere(key.secret)
        return {reply.headers["x-ratelimit-limit-requests"] for reply in replies} == {"7"}

    await eventually(told, within_s=1, what="both gateways count by the new limit")


async def test_audit_4_tokens_are_held_as_estimated_and_given_back_as_not_used(keys: KeyFleet) -> None:
    key = await keys.key(limits={"tpm": 300})
    first, second = keys.gateways

    never = await ask(first, key.secret, "mini", max_tokens=400)
    assert (never.status, never.json()["error"]["code"]) == (400, "request_exceeds_limit")
    held = await ask(first, key.secret, "mini", max_tokens=200)
    assert held.status == 200
    assert 300 - int(held.headers["x-ratelimit-remaining-tokens"]) > 200

    async def settled() -> bool:
        reply = await ask(second, key.secret, "mini", max_tokens=200)
        return reply.status == 200

    # As soon as the first one's 15 tokens are known, another 200 fit; until then they don't.
    await eventually(settled, within_s=2, what="the estimate is settled to what was used")
    refused = await ask(first, key.secret, "mini", max_tokens=300 - 2 * USED_TOKENS)
    assert (refused.status, "retry-after-ms" in refused.headers) == (429, True)


async def test_audit_4_no_more_run_at_once_than_the_key_may_and_its_slots_come_back(
    keys: KeyFleet, fleet_upstream: ScriptedUpstream
) -> None:
    lane = fleet_upstream.lane("slow")
    lane.default = Behaviour(delay_s=0.4)
    key = await keys.key(limits={"max_parallel": 3})

    first = await at_once(keys, key.secret, 12, "slow")

    assert Counter(reply.status for reply in first) == {200: 3, 429: 9}
    assert {reply.headers["retry-after"] for reply in first if reply.status == 429} == {"1"}
    assert peak_overlap(lane.requests) == 3

    async def free() -> bool:
        return Counter(reply.status for reply in await at_once(keys, key.secret, 3, "slow")) == {200: 3}

    await eventually(free, within_s=5, what="every slot came back")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def strangers(
    fleet_upstream: ScriptedUpstream,
    fleet_redis: str,
    key_postgres: PostgresServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[KeyFleet]:
    """A gateway that lets anybody in, counts by the minute of the clock, and believes no proxy."""
    async with (
        own_database(key_postgres.url) as url,
        key_fleet(
            fleet_redis,
            url,
            [instance("m", fleet_upstream.base_url)],
            tmp_path_factory.mktemp("strangers"),
            size=1,
            redis={"prefix": "strangers:"},
            auth={"master_key": "${MOONGATE_MASTER_KEY:-}", "require_auth": False},
            rate_limit={"algorithm": "fixed-window", "chat_completions_rpm": 4},
        ) as running,
    ):
        yield running


async def anonymous(gateway: Gateway, address: str) -> raw_http.RawReply:
    headers = {"x-forwarded-for": address, "x-real-ip": address}
    return await raw_http.exchange(gateway.port, raw_http.post(CHAT, raw_http.chat("m"), headers))


async def test_audit_4_2_what_a_client_says_of_its_address_is_not_believed(strangers: KeyFleet) -> None:
    began_s = time.time()
    replies = [await anonymous(strangers.fleet.next(), f"203.0.113.{number}") for number in range(12)]
    minutes = 1 + int(time.time() // 60) - int(began_s // 60)

    assert 0 < Counter(reply.status for reply in replies)[200] <= 4 * minutes


async def test_audit_behavioural_3_the_fixed_window_is_used_and_ends_with_the_minute_of_the_clock(
    strangers: KeyFleet,
) -> None:
    key = await strangers.key(limits={"rpm": 3})
    refused = None
    for _ in range(8):  # a minute may turn among them
        asked_s = time.time()
        refused = await ask(strangers.fleet.next(), key.secret, "m")
        answered_s = time.time()
        if refused.status == 429:
            break

    assert refused is not None
    assert refused.status == 429
    wait_s = int(refused.headers["retry-after-ms"]) / 1000
    assert asked_s + wait_s <= math.ceil(answered_s / 60) * 60 + 0.01
    assert answered_s + wait_s >= math.ceil(answered_s / 60) * 60 - 0.01


async def test_audit_4_2_open_paths_are_never_limited_over_http(strangers: KeyFleet) -> None:
    gateway = strangers.gateways[0]

    for path in ("/health", "/ready", "/docs", "/openapi.json"):
        replies = [await raw_http.exchange(gateway.port, raw_http.get(path)) for _ in range(6)]
        assert {reply.status for reply in replies} == {200}
        assert not [name for reply in replies for name in reply.headers if "ratelimit" in name]
