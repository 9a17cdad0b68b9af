"""Reloading one process: all of it or nothing, into every object that goes by the configuration."""

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dependency_injector.providers import Object

from adapters.inbound.http.use_cases import ProcessFacts
from application.errors import Conflict
from bootstrap import Container
from bootstrap.settings import Loaded, parse_settings
from domain.callers import Caller, CallerKind
from domain.catalog import Instance
from domain.chat import Endpoint
from domain.identifiers import InstanceId, ModelName
from domain.limits.limit import Algorithm

KEY = "mg_test"
CALLER = Caller(CallerKind.KEY, "k")


def model(instance_id: str, model_name: str = "m", **more: object) -> dict[str, object]:
    provider = {"type": "custom", "base_url": "http://127.0.0.1:1/v1"}
    return {"model_name": model_name, "id": instance_id, "provider": provider, **more}


class World:
    """A gateway whose file the test writes."""

    def __init__(self, document: dict[str, Any], **given: object) -> None:
        self.document = document
        self.readings = 0
        self.fault: Exception | None = None
        self.container = Container(
            settings=parse_settings(document, environ={}).settings,
            master_key=KEY,
            reread=Object(self._reread),
            **given,
        )
        self.container.app()

    def _reread(self) -> Loaded:
        self.readings += 1
        if self.fault is not None:
            raise self.fault
        return parse_settings(self.document, environ={})

    async def reload(self, document: dict[str, Any]) -> tuple[str, ...]:
        self.document = document
        done, _ = await self.container.reloading().everywhere()
        changed: tuple[str, ...] = done.changed
        return changed

    def instance(self, name: str) -> Instance:
        catalog, _ = self.container.catalog_source().current()
        found: Instance = next(each for each in catalog.all_instances() if each.id == name)
        return found


@pytest.fixture(autouse=True)
def _level() -> Iterator[None]:
    root = logging.getLogger()
    before = root.level
    yield
    root.setLevel(before)


async def test_every_object_goes_by_the_new_configuration(tmp_path: Path) -> None:
    prices = tmp_path / "prices.json"
    listed = {"models": {"gpt": {"input": "1", "output": "2"}}, "source": "here", "dated": "2026-01-01"}
    prices.write_text(json.dumps({"dated": "2026-01-01", "providers": {"custom": listed}}), encoding="utf-8")
    world = World({"model_list": [model("a")]})
    container = world.container

    await world.reload(
        {
            "model_list": [model("a"), model("b", "gpt")],
            "router": {"circuit_breaker": {"consecutive_failures": 9}, "retry_budget": {"percent": 55}},
            "rate_limit": {"global_rpm": 7, "algorithm": "token-bucket", "on_store_failure": "open"},
            "budgets": {"default_output_tokens": 11, "on_store_failure": "degrade"},
            "pricing": {"file": str(prices), "require": True},
            "observability": {"log_level": "error"},
        }
    )

    catalog, policy = container.catalog_source().current()
    assert set(catalog.instances) == {"m", "gpt"}
    assert (policy.breaker.consecutive_failures, policy.default_output_tokens) == (9, 11)
    assert container.routing()._config.consecutive_failures == 9
    assert container.retry_budgets()._config.percent == 55
    assert container.provider_directory().provider_of(world.instance("b")) is not None
    limits = container.caller_gate()._policy.limits_of(CALLER, Endpoint.CHAT)
    assert [(limit.limit, limit.algorithm) for limit in limits] == [(7, Algorithm.TOKEN_BUCKET)]
    assert container.key_lookup()._algorithm is Algorithm.TOKEN_BUCKET
    assert container.budgets_alone()._policy.value == "degrade"
    assert container.quoting().terms.default_output_tokens == 11
    assert container.prices().required
    assert container.prices().refuses(world.instance("a"))
    assert not container.prices().refuses(Instance(InstanceId("x"), ModelName("gpt"), "custom", "gpt"))
    assert logging.getLogger().level == logging.ERROR
    assert container.in_force().settings.rate_limit.global_rpm == 7


async def test_prices_that_change_are_named_once_for_each_change(tmp_path: Path) -> None:
    def write(name: str, price: str) -> dict[str, Any]:
        listed = {"models": {"gpt": {"input": price, "output": "2"}}, "source": "here", "dated": "2026-01-01"}
        text = json.dumps({"dated": "2026-01-01", "providers": {"custom": listed}})
        (tmp_path / name).write_text(text, encoding="utf-8")
        return {"pricing": {"file": str(tmp_path / name)}}

    world = World({})
    files = [("one", "1"), ("one", "1"), ("one", "9"), ("two", "8")]
    changed = [await world.reload(write(name, price)) for name, price in files]

    assert changed == [("pricing.file",), (), ("pricing.file",), ("pricing.file",)]


async def test_policies_for_a_lost_store_follow_where_gateways_share_redis() -> None:
    redis = {"redis": {"url": "redis://127.0.0.1:1"}, "state": "redis", "mode": "full"}
    world = World(redis, facts=Object(ProcessFacts("full", "test", "1")))

    limits, router = {"on_store_failure": "closed"}, {"circuit_breaker": {"minimum_calls": 3}}
    await world.reload({**redis, "rate_limit": limits, "router": router})

    assert world.container.degrading_admission()._policy.value == "closed"
    assert world.container.redis_routing()._config.minimum_calls == 3
    assert world.container.redis_routing()._pictures._config.minimum_calls == 3
    assert world.container.routing()._local._config.minimum_calls == 3


async def test_instance_configured_as_before_keeps_its_provider_and_another_gets_a_new_one() -> None:
    world = World({"model_list": [model("a"), model("b")]})
    directory = world.container.provider_directory()
    kept, replaced = (directory.provider_of(world.instance(name)) for name in "ab")
    elsewhere = {"type": "custom", "base_url": "http://127.0.0.1:2/v1"}

    await world.reload({"model_list": [model("a", weight=7), {**model("b"), "provider": elsewhere}]})

    assert directory.provider_of(world.instance("a")) is kept
    assert directory.provider_of(world.instance("b")) is not replaced


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"router": {"routing_strategy": "fastest"}}, "router.routing_strategy: unknown strategy 'fastest'"),
        ({"model_lits": []}, "model_lits: unknown key; did you mean 'model_list'?"),
        ({"pricing": {"file": "/nowhere.json"}}, "pricing.file: /nowhere.json: No such file or directory"),
    ],
)
async def test_configuration_that_can_not_be_used_changes_nothing_and_is_told(
    document: dict[str, Any], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = World({"model_list": [model("a")]})
    before = (world.container.catalog_source().current(), world.container.in_force().settings)

    with pytest.raises(Conflict) as refused:
        await world.reload({"model_list": [model("b")], "rate_limit": {"global_rpm": 1}, **document})

    assert said in refused.value.message
    assert (world.container.catalog_source().current(), world.container.in_force().settings) == before
    assert world.container.caller_gate()._policy.limits_of(CALLER, Endpoint.CHAT) == ()
    last = world.container.last_reload().value
    assert last is not None
    assert not last.ok
    assert said in last.messages[0]
    assert [record.levelname for record in caplog.records if said in record.message] == ["ERROR"]


async def test_worker_looks_at_the_file_and_leaves_the_reload_to_its_supervisor() -> None:
    asked: list[int] = []
    world = World({"model_list": [model("a")]}, ask_supervisor=Object(lambda: asked.append(1)))
    world.document = {"model_list": [model("b")]}

    done, applied = await world.container.reloading().everywhere()

    assert (done.changed, applied, asked) == (("model_list: -a +b",), False, [1])
    assert world.instance("a").id == "a"
    world.document = {"mode": "loud"}
    with pytest.raises(Conflict):
        await world.container.reloading().everywhere()
    assert asked == [1]


async def test_signals_that_come_before_the_reload_has_begun_are_one() -> None:
    world = World({"model_list": [model("a")]})
    world.document = {"model_list": [model("b")]}

    for _ in range(5):
        world.container.reloading().soon()
    await world.container.reloading()._background.settle()

    assert world.readings == 1
    assert world.instance("b").id == "b"
    world.container.reloading().soon()
    await world.container.reloading()._background.settle()
    assert world.readings == 2


async def test_stores_that_a_reload_asks_for_are_named_and_not_connected(caplog: pytest.LogCaptureFixture) -> None:
    world = World({})

    with caplog.at_level(logging.INFO):
        await world.reload({"redis": {"url": "redis://127.0.0.1:1"}})

    assert world.container.stores().redis is None
    assert [r.message for r in caplog.records if "needs a restart" in r.message and "redis.url" in r.message] != []


async def test_gateway_inside_a_program_has_nothing_to_read_again() -> None:
    container = Container(settings=parse_settings({}, environ={}).settings, master_key=KEY)

    with pytest.raises(Conflict, match="came with the program"):
        await container.reloading().everywhere()


async def test_reload_by_the_admin_api_is_told_in_the_audit_log_and_shown_by_status_and_config() -> None:
    world = World({"model_list": [model("a")]})
    world.document = {"model_list": [model("b")], "rate_limit": {"global_rpm": 3}}
    client, key = world.container.app().test_client(), {"authorization": f"Bearer {KEY}"}

    answer = await (await client.post("/admin/v1/config/reload", headers=key)).get_json()

    changed = ["model_list: -a +b", "rate_limit.global_rpm"]
    assert answer == {"applied": True, "changed": changed, "needs_restart": [], "warnings": []}
    (entry,) = (await (await client.get("/admin/v1/audit", headers=key)).get_json())["data"]
    assert (entry["action"], entry["target"]) == ("config.reload", "config:file")
    status = (await (await client.get("/admin/v1/status", headers=key)).get_json())["last_reload"]
    assert (status["ok"], status["changed"]) == (True, changed)
    assert (await (await client.get("/admin/v1/config", headers=key)).get_json())["rate_limit"]["global_rpm"] == 3
    assert (await (await client.get("/admin/v1/limits", headers=key)).get_json())["global_rpm"] == 3


async def test_reading_does_not_hold_up_the_loop() -> None:
    world = World({})
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    await world.reload({"model_list": [model(f"i{number}") for number in range(200)]})
    turning.cancel()

    assert turns > 3
