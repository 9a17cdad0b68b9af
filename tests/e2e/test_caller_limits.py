"""The limits of callers, as clients meet them."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from openai import AsyncOpenAI, RateLimitError

from tests.e2e import raw_http
from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway
from tests.e2e.scripted_upstream import ScriptedUpstream

pytestmark = pytest.mark.asyncio(loop_scope="module")


def document(upstream: ScriptedUpstream, lanes: tuple[str, str] = ("a", "b"), **limits: object) -> dict[str, object]:
    auth = {"master_key": "${MOONGATE_MASTER_KEY:-}", "require_auth": False, "trusted_proxies": ["127.0.0.1"]}
    members = [
        instance("limited", upstream.base_url, lane, weight=weight) for lane, weight in zip(lanes, (5, 1), strict=True)
    ]
    router = {"routing_strategy": "weighted-round-robin"}
    return configuration(members, router=router, auth=auth, rate_limit=limits)


async def chat(gateway: Gateway, headers: Mapping[str, str] | None = None) -> raw_http.RawReply:
    """Without a key: a caller that is known by its address alone."""
    request = raw_http.post("/v1/chat/completions", raw_http.chat("limited"), headers or {})
    return await raw_http.exchange(gateway.port, request)


async def test_a_caller_without_a_key_is_limited_by_its_address(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    async with running_gateway(document(upstream, chat_completions_rpm=3), tmp_path) as gateway:
        for _ in range(3):
            assert (await chat(gateway)).status == 200
        refused = await chat(gateway)

        assert refused.status == 429
        assert refused.json()["error"]["code"] == "rate_limit_exceeded"
        assert 55 <= int(refused.headers["retry-after"]) <= 61
        assert int(refused.headers["retry-after-ms"]) <= 1_000 * int(refused.headers["retry-after"])
        assert refused.headers["x-moongate-attempts"] == "0"
        assert (await chat(gateway, {"x-forwarded-for": "203.0.113.9"})).status == 200
        assert (await gateway.chat("limited")).status == 200


async def test_the_official_client_raises_its_own_error_for_a_limit(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    async with running_gateway(document(upstream, global_rpm=1), tmp_path) as gateway:
        client = AsyncOpenAI(base_url=f"http://127.0.0.1:{gateway.port}/v1", api_key="unknown", max_retries=0)
        async with client:
            await client.chat.completions.create(model="limited", messages=[{"role": "user", "content": "hi"}])
            with pytest.raises(RateLimitError, match="over your limit of 1 requests per minute"):
                await client.chat.completions.create(model="limited", messages=[{"role": "user", "content": "hi"}])


async def test_refused_callers_leave_the_shares_of_the_others_exact(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    async with running_gateway(document(upstream, ("five", "one"), chat_completions_rpm=1), tmp_path) as gateway:
        refused = 0
        for number in range(60):
            # Callers that come once and again: the second time they are over their limit.
            address = {"x-forwarded-for": f"203.0.113.{number // 2}"}
            refused += (await chat(gateway, address)).status == 429
            assert (await gateway.chat("limited")).status == 200

        assert refused == 30
        served = Counter({lane: len(upstream.lane(lane).requests) for lane in ("five", "one")})
        assert served == {"five": 75, "one": 15}
