import asyncio
import json
from typing import Any

import pytest
from dependency_injector.errors import Error
from dependency_injector.providers import Dependency, Object
from quart import Quart

from adapters.inbound.http.use_cases import ProcessFacts
from adapters.outbound.memory.routing import MemoryRouting
from adapters.outbound.redis.routing import RedisRouting
from adapters.testing.doubles import SeededRandomness
from adapters.testing.virtual_time import EPOCH_US, ManualClock
from application.degrading.degrading_routing import DegradingRouting
from application.local_turns import LocalTurns
from bootstrap import Container, create_app
from bootstrap.provider_wiring import CAPABILITIES
from bootstrap.settings import BUILT_TYPES, Settings, parse_settings
from bootstrap.stores import Stores

KEY = "mg_test"
ENTRIES: dict[str, dict[str, Any]] = {
    "openai": {"api_key": "sk-x", "organization": "o", "project": "p"},
    "azure": {"api_key": "k", "endpoint": "https://x.openai.azure.com", "deployment": "d", "api_version": "2024-10-21"},
    "anthropic": {"api_key": "k"},
    "gemini": {"api_key": "k"},
    "vertex": {"project": "p", "location": "europe-west1"},
    "cohere": {"api_key": "k", "headers": {"x-a": "b"}},
    "huggingface": {"api_key": "k"},
    "mistral": {"api_key": "k"},
    "groq": {"api_key": "k"},
    "openrouter": {"api_key": "k"},
    "ollama": {},
    "vllm": {"base_url": "http://127.0.0.1:1/v1"},
    "custom": {"base_url": "http://127.0.0.1:1/v1", "headers": {"x-a": "b"}},
    "bedrock": {"region": "eu-west-1", "access_key_id": "AKIDEXAMPLE", "secret_access_key": "s", "session_token": "t"},
    "echo": {"delay": "1ms", "fail_rate": 0.5, "fail_status": 503, "stop_after": 3},
}


def settings(document: dict[str, Any] | None = None) -> Settings:
    return parse_settings(document or {}, environ={}).settings


def every_type() -> Settings:
    entries = [{"model_name": f"m-{name}", "provider": {"type": name, **extra}} for name, extra in ENTRIES.items()]
    return settings({"model_list": entries})


REDIS = {"redis": {"url": "redis://127.0.0.1:1"}}
POSTGRES = {"database": {"url": "postgresql://127.0.0.1:1/x"}}
SHARED_ONLY = {
    "redis_ends",
    "redis_admission",
    "degrading_admission",
    "redis_decision_log",
    "redis_event_sink",
    "redis_usage_events",
    "redis_executor",
    "redis_routing",
    "shared_state",
}


GIVEN = {"settings", "master_key", "data_dir"}
SQL_ONLY = {"engine"}
NOTHING_BY_ITSELF = {"configured_prices", "reread", "ask_supervisor", "reloaded_elsewhere"}


def in_mode(mode: str, document: dict[str, Any]) -> Container:
    facts = ProcessFacts(mode, "test", "1")
    return Container(settings=settings(document), master_key=KEY, facts=Object(facts))


@pytest.mark.parametrize(
    ("mode", "document"),
    [
        ("lite", {}),
        ("lite", REDIS | POSTGRES),
        ("full", REDIS | POSTGRES),
        ("full", REDIS | {"state": "redis"}),
        ("full", POSTGRES | {"state": "memory"}),
    ],
    ids=["lite", "lite with stores that it ignores", "full", "redis alone", "postgres alone"],
)
async def test_every_provider_of_the_container_can_be_built_by_itself(mode: str, document: dict[str, Any]) -> None:
    shares = mode == "full" and document.get("state") != "memory"
    lasts = mode == "full" and "database" in document
    container = in_mode(mode, document)

    for name in (name for name in Container.providers if name not in GIVEN):
        container.reset_singletons()  # nothing has been built for another before
        if name in SQL_ONLY and not lasts:
            assert container.stores().database is None, name
        elif shares or name not in SHARED_ONLY:
            assert (container.providers[name]() is not None) is (name not in NOTHING_BY_ITSELF), name
        else:
            assert container.stores().redis is None, name


async def test_a_gateway_with_every_type_of_provider_can_be_built() -> None:
    assert Container(settings=every_type(), master_key=KEY).app() is not None


async def test_state_is_shared_where_there_is_redis_and_only_there() -> None:
    alone, member = in_mode("lite", {}), in_mode("full", REDIS | {"state": "redis"})

    assert isinstance(alone.routing(), MemoryRouting)
    assert isinstance(member.routing(), DegradingRouting)
    assert alone.shared_state() is None
    assert member.shared_state().routing is member.redis_routing()


def test_every_type_that_is_said_to_be_built_is_wired() -> None:
    container = Container(settings=every_type(), master_key=KEY)
    catalog, _ = container.catalog_source().current()
    directory = container.provider_directory()

    providers = {instance.provider: directory.provider_of(instance) for instance in catalog.all_instances()}

    assert set(providers) == set(BUILT_TYPES) == set(ENTRIES)
    assert set(CAPABILITIES) == set(BUILT_TYPES)


def test_what_must_be_given_can_not_be_forgotten() -> None:
    needed = {name for name, provider in Container.providers.items() if isinstance(provider, Dependency)}

    assert needed == {"settings", "master_key"}
    with pytest.raises(Error):
        Container().app()


def test_a_port_given_from_outside_reaches_everything_that_uses_it() -> None:
    clock, randomness = ManualClock(), SeededRandomness(3)
    container = Container(settings=settings(), master_key=KEY, clock=Object(clock), randomness=Object(randomness))

    assert container.attempt_tools().clock is clock
    assert container.front_door().clock is clock
    assert container.attempt_tools().randomness is randomness
    assert container.list_models().created_s == EPOCH_US // 1_000_000


async def test_create_app_serves_the_built_in_model() -> None:
    app = create_app(settings(), master_key=KEY)
    body = {"model": "echo", "messages": [{"role": "user", "content": "Hello"}]}

    reply = await app.test_client().post("/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {KEY}"})

    assert isinstance(app, Quart)
    assert json.loads(await reply.get_data())["choices"][0]["message"]["content"] == "Hello"


async def test_the_lifespan_starts_and_ends_its_background_work() -> None:
    container = Container(settings=settings(), master_key=KEY)

    async with container.app().test_app():
        running = tuple(container.lifespan()._running)
        parts = (container.bookkeeping(), container.measuring(), container.observation())
        assert len(running) == 5 + sum(len(part.works()) for part in parts)
        assert not any(task.done() for task in running)

    assert all(task.done() for task in running)


async def test_a_step_of_the_end_that_fails_keeps_no_other_from_being_taken() -> None:
    taken: list[str] = []

    class Failing:
        async def aclose(self) -> None:
            taken.append("transport")
            raise RuntimeError("it did not close")

    class Closing(Stores):
        async def aclose(self) -> None:
            taken.append("stores")

    container = Container(settings=settings(), master_key=KEY, transport=Object(Failing()), stores=Object(Closing()))
    await container.lifespan().start()
    running = list(container.lifespan()._running)

    with pytest.raises(RuntimeError, match="it did not close"):
        await container.lifespan().stop()

    assert taken == ["transport", "stores"]
    assert all(task.done() for task in running)


async def test_background_work_that_fails_does_not_end() -> None:
    class Failing:
        async def run(self) -> None:
            raise RuntimeError("a bad answer")

    container = Container(settings=settings(), master_key=KEY, leases=Object(Failing()))
    await container.lifespan().start()
    for _ in range(5):
        await asyncio.sleep(0)

    assert not any(task.done() for task in container.lifespan()._running)
    await container.lifespan().stop()


@pytest.mark.parametrize(("setting", "kind"), [("strict", RedisRouting), ("local", LocalTurns)])
async def test_turns_are_taken_where_the_setting_says(setting: str, kind: type[object]) -> None:
    container = in_mode("full", REDIS | {"state": "redis", "router": {"weighted_round_robin": setting}})

    assert isinstance(container.routing()._shared, kind)


async def test_what_redis_was_not_heard_to_do_is_owed_in_one_place() -> None:
    container = in_mode("full", REDIS | {"state": "redis"})
    ends = container.redis_ends()

    assert container.redis_routing()._ends is ends
    assert container.redis_admission()._ends is ends
    store = container.stores().redis
    assert store is not None
    assert ends._breaker is store.breaker
    assert container.caller_admission()._shared is container.redis_admission()


async def test_metrics_that_are_turned_off_are_neither_counted_nor_told() -> None:
    container = Container(settings=settings({"observability": {"metrics": False}}), master_key=KEY)
    body = {"model": "echo", "messages": [{"role": "user", "content": "Hello"}]}

    async with container.app().test_app() as running:
        client = running.test_client()
        answered = await client.post("/v1/chat/completions", json=body, headers={"x-api-key": KEY})
        scraped = await client.get("/metrics")

    assert (answered.status_code, scraped.status_code) == (200, 404)
    assert container.measuring() is None
    assert not any(list(page.series()) for page in container.metric_board().pages())
