"""Every metric that is declared is seen to move, in the whole application."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.outbound.redis.event_sink import CAPACITY
from adapters.outbound.telemetry.metrics import METRICS
from adapters.outbound.telemetry.request_metrics_declared import REQUESTS
from adapters.testing.scripted_provider import Act, fails
from adapters.testing.usage_journal_contract import outcome
from application.billing.journaling import MOST_WAITING
from domain.budget.charge import AccountId, BudgetId
from domain.chat import Usage
from domain.events import BudgetDrifted
from domain.failure import FailureKind
from domain.identifiers import RequestId
from domain.routing.decision import DecisionTrace
from tests.integration.telemetry.metrics_world import MASTER, World, meanwhile, total, world
from tests.servers.redis_servers import RedisServer, standalone, valkey_binary

DOWN = fails(FailureKind.SERVER_ERROR, status=500)
DRIFT = BudgetDrifted(AccountId("team:t"), BudgetId("team:t"), "2026-11", 1, 2)


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """One that a test may kill."""
    with standalone(valkey_binary()) as started:
        yield started


@pytest.fixture
async def gateway(server: RedisServer, tmp_path: Path) -> AsyncIterator[World]:
    async with world(server, tmp_path) as made:
        yield made


async def requests_succeed(gateway: World) -> None:
    gateway.upstream("a").otherwise = Act(usage=Usage(10, 5, cached_input_tokens=2))
    assert [await gateway.ask("gpt"), await gateway.ask("gpt", stream=True)] == [200, 200]

    seen = await gateway.look()

    assert total(seen, "moongate_requests_total", model="gpt", outcome="success", endpoint="chat") == 2
    assert total(seen, "moongate_request_duration_seconds_count", model="gpt") == 2
    assert total(seen, "moongate_time_to_first_token_seconds_count", model="gpt") == 1
    assert total(seen, "moongate_attempts_total", instance_id="a", outcome="success") == 2
    kinds = ("input", "output", "cached_input")
    assert [total(seen, "moongate_tokens_total", kind=kind) for kind in kinds] == [20, 10, 4]
    assert total(seen, "moongate_cost_dollars_total", model="gpt") == pytest.approx(2 * (10 * 0.001 + 5 * 0.002))
    assert total(seen, "moongate_http_responses_total", rule="/v1/chat/completions", status="200") == 2
    assert total(seen, "moongate_spends_remembered") >= 0


async def requests_are_refused(gateway: World) -> None:
    limited = await gateway.make_key(limits={"rpm": 1})
    poor = await gateway.make_key(budget={"amount_usd": "0.001", "period": "total", "hard": True})
    easy = await gateway.make_key(budget={"amount_usd": "0.02", "period": "total", "hard": False})
    assert await gateway.ask("gpt", "wrong") == 401
    assert [await gateway.ask("gpt", limited) for _ in range(2)] == [200, 429]
    assert [await gateway.ask("gpt", key) for key in (poor, easy)] == [429, 200]
    await gateway.container.reserving().settle()
    await gateway.container.spends().drain()

    seen = await gateway.look()

    assert total(seen, "moongate_refused_credentials_total") == 1
    assert total(seen, "moongate_rate_limit_refusals_total", model="gpt") == 1
    assert total(seen, "moongate_budget_refusals_total", model="gpt") == 1
    assert total(seen, "moongate_requests_total", outcome="budget_exceeded") == 1
    assert total(seen, "moongate_budget_alerts_total", kind="soft") >= 1


async def providers_fail(gateway: World) -> None:
    gateway.upstream("a").otherwise = gateway.upstream("s").otherwise = DOWN
    assert {await gateway.ask("gpt") for _ in range(8)} == {200}
    assert await gateway.ask("solo") == 200

    seen = await gateway.look()

    assert total(seen, "moongate_attempts_total", instance_id="a", outcome="server_error") >= 3
    assert total(seen, "moongate_failovers_total", model="gpt") >= 3
    assert total(seen, "moongate_retries_total", model="solo") >= 1
    assert total(seen, "moongate_model_fallbacks_total", model="solo") == 1
    assert total(seen, "moongate_circuit_transitions_total", instance_id="a", state="open") == 1
    assert total(seen, "moongate_circuit_state", instance_id="a", state="open") == 1
    assert total(seen, "moongate_circuit_state", instance_id="b", state="closed") == 1
    assert total(seen, "moongate_instance_exclusions_total", instance_id="a", reason="circuit_open") >= 1


async def usage_flows(gateway: World) -> None:
    deliver, drain = gateway.container.deliver_usage(), gateway.container.drain_usage()
    await deliver.send()
    seen = await gateway.look()
    waiting = total(seen, "moongate_usage_stream_records", state="waiting")
    assert total(seen, "moongate_usage_on_the_way") == waiting > 0

    await drain.drain()
    await deliver.confirm(at_once=True)

    seen = await gateway.look()
    assert total(seen, "moongate_usage_records_written_total") == waiting
    assert total(seen, "moongate_usage_on_the_way") == 0


async def the_disk_is_full(gateway: World) -> None:
    journaling = gateway.container.journaling()
    gateway.journal.is_full = True
    for _ in range(MOST_WAITING + 2):
        journaling.outcome(outcome(1))
    seen = await gateway.look()
    assert total(seen, "moongate_usage_unwritten") == MOST_WAITING
    assert total(seen, "moongate_usage_lost_total") == 2
    gateway.journal.is_full = False
    journaling.retry()


async def others_wait(gateway: World) -> None:
    gateway.upstream("b").otherwise = Act(hang=True)
    running = gateway.upstream("b")
    request = await meanwhile(gateway.ask("gpt"), lambda: running.running)
    assert total(await gateway.look(), "moongate_requests_in_flight", endpoint="chat") == 1
    request.cancel()
    await asyncio.wait({request})
    running.otherwise = Act()

    executor, engine = gateway.container.redis_executor(), gateway.container.engine()
    asked = await meanwhile(executor.command("PING"), lambda: executor.unanswered)
    assert total(await gateway.look(), "moongate_redis_calls_in_flight") == 1
    await asked

    size = int(total(await gateway.look(), "moongate_database_pool_size"))
    held = [await engine.connect() for _ in range(size)]
    one_more = asyncio.ensure_future(_used(engine))
    await asyncio.sleep(0)
    seen = await gateway.look()
    assert total(seen, "moongate_database_connections", state="in_use") == size
    assert total(seen, "moongate_database_waiting") == 1
    for connection in held:
        await connection.close()
    await one_more


async def _used(engine: AsyncEngine) -> None:
    async with engine.connect():
        return


async def the_loop_is_watched(gateway: World) -> None:
    lag = gateway.container.loop_lag()
    watching = asyncio.ensure_future(lag.run())
    for _ in range(5):
        await asyncio.sleep(0)
    watching.cancel()
    await asyncio.wait({watching})
    assert total(await gateway.look(), "moongate_event_loop_lag_seconds_count") >= 3


async def what_is_rare_happens(gateway: World) -> None:
    gateway.container.event_sink().publish(DRIFT)
    story = DecisionTrace(RequestId("r"), "gpt", "chat", stream=False, started_us=0, outcome="success", cache="hit")
    gateway.container.request_metrics().finished(story)
    gateway.container.request_metrics().finished(replace(story, requested_model="made-up"))
    gateway.container.metric_page().add(REQUESTS, ("x" * (5 << 20), "", ""))

    seen = await gateway.look()

    assert total(seen, "moongate_budget_drifts_total") == 1
    assert total(seen, "moongate_cache_requests_total", model="gpt", result="hit") == 1
    assert total(seen, "moongate_cache_requests_total", model="other") == 1
    assert total(seen, "moongate_metrics_series_dropped_total") == 1


async def redis_dies(gateway: World, server: RedisServer) -> None:
    before = await gateway.look()
    assert total(before, "moongate_store_up", store="redis") == 1
    assert total(before, "moongate_redis_breaker_open") == 0
    server.kill()
    for _ in range(10):
        await gateway.ask("small")
    for _ in range(CAPACITY + 3):
        gateway.container.redis_event_sink().publish(DRIFT)
    await gateway.container.store_watch()._ask_all()

    seen = await gateway.look()

    assert total(seen, "moongate_degraded_decisions_total") >= 1
    assert total(seen, "moongate_store_up", store="redis") == 0
    assert total(seen, "moongate_redis_breaker_open") == 1
    assert total(seen, "moongate_events_waiting") >= CAPACITY
    assert total(seen, "moongate_events_dropped_total") >= 3


async def test_every_metric_that_is_declared_moves_in_the_whole_application(
    gateway: World, server: RedisServer
) -> None:
    await requests_succeed(gateway)
    await requests_are_refused(gateway)
    await providers_fail(gateway)
    await usage_flows(gateway)
    await the_disk_is_full(gateway)
    await others_wait(gateway)
    await the_loop_is_watched(gateway)
    await what_is_rare_happens(gateway)
    await redis_dies(gateway, server)

    assert {metric.name for metric in METRICS} - gateway.moved == set()


async def test_no_secret_and_nothing_that_a_client_chose_is_among_the_labels(gateway: World) -> None:
    secret = await gateway.make_key(limits={"rpm": 1})
    made_up = json.dumps({"model": "planted-model", "messages": [{"role": "user", "content": "planted-prompt"}]})
    headers = {"authorization": f"Bearer {secret}", "x-request-id": "planted-id"}
    await gateway.client.post("/v1/chat/completions", data=made_up, headers=headers)
    await gateway.client.get("/planted/path", headers=headers)
    await gateway.client.get("/v1/models/planted-name", headers=headers)
    await gateway.ask("gpt", secret)

    reply = await gateway.client.get("/metrics")

    text = await reply.get_data(as_text=True)
    assert reply.status_code == 200
    for planted in (secret, MASTER, "planted", "k_", "key:"):
        assert planted not in text
