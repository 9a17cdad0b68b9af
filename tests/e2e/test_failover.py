"""Instances that fail: the others answer, the attempts are told, nobody waits for the dead."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e import raw_http
from tests.e2e.behaviour import AFTER_HEAD, Behaviour, Ending, ending, failing
from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway
from tests.e2e.openai_wire import whole_text
from tests.e2e.raw_http import RawReply
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually
from tests.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEAD = {
    "internal-error": failing(500),
    "overloaded": failing(503),
    "reset": ending(Ending.RST),
    "closed": ending(Ending.FIN),
    "cut-in-the-body": ending(Ending.FIN, AFTER_HEAD),
    "hung": ending(Ending.HANG),
    "hung-in-the-body": ending(Ending.HANG, AFTER_HEAD),
    "not-json": Behaviour(body=b"<html>oops</html>"),
}
CROWD = 50
ROUTER = {"circuit_breaker": {"open_duration": "60s", "consecutive_failures": 3}, "instance_retry_attempts": 2}
BAD, GOOD = 25, 25


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    url = upstream.base_url
    nowhere, models = f"http://127.0.0.1:{free_port()}/v1", []
    for name in ("unreachable", "vectors"):
        models.append(instance(name, nowhere, f"{name}-dead", priority=100))
        models.append(instance(name, url, f"{name}-alive"))
    for name, behaviour in DEAD.items():
        upstream.lane(f"{name}-dead").default = behaviour
        models.append(instance(name, url, f"{name}-dead", priority=100, timeout="500ms"))
        models.append(instance(name, url, f"{name}-alive"))
    for index in range(CROWD):
        upstream.lane(f"crowd-{index}").default = Behaviour(status=500, body=b"{}", delay_s=0.02)
        models.append(instance("crowd", url, f"crowd-{index}"))
    models += [instance("spare", url), instance("slow-and-bad", url), instance("good", url)]
    models += [instance("busy", url, "busy-first", priority=100), instance("busy", url, "busy-second")]
    route = {"name": "r", "slug": "routed", "models": [{"model_name": "slow-and-bad"}], "fallback_models": ["spare"]}
    router = ROUTER | {"model_fallbacks": {"crowd": "spare"}}
    document = configuration(models, router=router, routes=[route])
    async with running_gateway(document, tmp_path_factory.mktemp("failover")) as running:
        yield running


@pytest.mark.parametrize("name", ["unreachable", *DEAD])
async def test_dead_instance_costs_no_request_and_is_left_alone_after_three(
    gateway: Gateway, upstream: ScriptedUpstream, name: str
) -> None:
    replies = [await gateway.chat(name) for _ in range(12)]

    assert {reply.status for reply in replies} == {200}
    texts = {reply.json()["choices"][0]["message"]["content"] for reply in replies}
    assert texts == {whole_text(f"{name}-alive", Behaviour())}
    assert {reply.headers["x-moongate-instance"] for reply in replies} == {f"{name}-alive"}
    assert [reply.headers["x-moongate-attempts"] for reply in replies] == ["2"] * 3 + ["1"] * 9
    if name in DEAD:
        # By id: what met a connection that others had left open may have gone out twice.
        assert len({request.headers["x-request-id"] for request in upstream.lane(f"{name}-dead").requests}) == 3


async def test_model_with_fifty_failing_instances_reaches_its_fallback_inside_the_deadline(
    gateway: Gateway, upstream: ScriptedUpstream
) -> None:
    for _ in range(8):
        began_s = time.monotonic()
        reply = await gateway.chat("crowd", headers={"x-request-timeout-ms": "3000"})

        assert reply.status == 200
        assert time.monotonic() - began_s < 3.1
        assert reply.headers["x-moongate-model"] == "spare"
        assert reply.headers["x-moongate-fallbacks"] == "crowd>spare"
        assert reply.json()["model"] == "crowd"

    asked = sum(len(upstream.lane(f"crowd-{index}").requests) for index in range(CROWD))
    assert 8 <= asked <= 8 * 3


async def test_route_falls_back_to_its_fallback_models(gateway: Gateway, upstream: ScriptedUpstream) -> None:
    upstream.lane("slow-and-bad").default = failing(500)

    reply = await gateway.chat("routed")

    assert reply.status == 200
    assert reply.json()["model"] == "routed"
    assert reply.headers["x-moongate-model"] == "spare"


async def test_embeddings_fail_over_as_chat_does(gateway: Gateway) -> None:
    request = gateway.post("/v1/embeddings", b'{"model": "vectors", "input": "x"}')
    reply = await raw_http.exchange(gateway.port, request)

    assert reply.status == 200
    assert reply.headers["x-moongate-instance"] == "vectors-alive"


async def test_good_requests_never_wait_for_bad_ones(gateway: Gateway, upstream: ScriptedUpstream) -> None:
    upstream.lane("slow-and-bad").default = Behaviour(status=500, body=b"{}", delay_s=2.0)

    async def timed(model: str) -> tuple[RawReply, float]:
        return await gateway.chat(model), time.monotonic()

    bad = [asyncio.create_task(timed("slow-and-bad")) for _ in range(BAD)]
    good = [asyncio.create_task(timed("good")) for _ in range(GOOD)]
    answers = await asyncio.gather(*good)
    assert {reply.status for reply, _ in answers} == {200}
    refusals = await asyncio.gather(*bad)

    assert {reply.status for reply, _ in refusals} <= {502, 503}
    in_time = max(at_s for _, at_s in answers)
    assert in_time < min((at_s for reply, at_s in refusals if reply.status == 502), default=in_time + 1)


async def test_rate_limited_instance_cools_as_long_as_it_asked(gateway: Gateway, upstream: ScriptedUpstream) -> None:
    first = upstream.lane("busy-first")
    first.queue(failing(429, "slow down", retry_after="2"))

    replies = [await gateway.chat("busy") for _ in range(5)]

    assert {reply.headers["x-moongate-instance"] for reply in replies} == {"busy-second"}
    assert [reply.headers["x-moongate-attempts"] for reply in replies] == ["2", "1", "1", "1", "1"]

    async def back() -> bool:
        return (await gateway.chat("busy")).headers["x-moongate-instance"] == "busy-first"

    await eventually(back, within_s=4, what="the instance is asked again after its cooldown")
    assert first.requests[1].began_s - first.requests[0].began_s >= 1.95
