from unittest.mock import patch

import pytest
from dependency_injector.providers import Object
from redis.asyncio import Redis

from adapters.inbound.http.use_cases import ProcessFacts
from adapters.outbound.redis.executor import RedisExecutor
from adapters.testing.virtual_time import ManualClock
from bootstrap import Container
from bootstrap.configuration_error import ConfigurationError
from bootstrap.stores import open_stores
from tests.bootstrap_tests.documents import settings_of

REDIS = "redis: {url: 'redis://r'}\n"
POSTGRES = "database: {url: 'postgresql://d/x'}\n"
SQLITE = "database: {url: 'sqlite:///f'}\n"
KEY = "auth: {master_key: 'k'}\n"


@pytest.mark.parametrize(
    ("text", "mode", "opened"),
    [
        (REDIS + POSTGRES, "full", ["redis", "database"]),
        (REDIS + POSTGRES, "lite", []),
        (REDIS + "state: redis", "full", ["redis"]),
        (REDIS + SQLITE + "state: redis", "full", ["redis", "file"]),
        (SQLITE, "lite", ["file"]),
        (REDIS + POSTGRES + "state: memory", "full", ["database"]),
        ("", "lite", []),
    ],
)
async def test_stores_are_opened_as_mode_and_state_ask(text: str, mode: str, opened: list[str]) -> None:
    stores = open_stores(settings_of(text), mode, ManualClock())

    # A file that can't be read makes no other gateway a better one.
    assert list(stores.probes) == [name for name in opened if name != "file"]
    assert (stores.redis is not None) == ("redis" in opened)
    assert (stores.database is not None) == ("database" in opened or "file" in opened)
    await stores.aclose()


async def test_the_settings_of_redis_reach_its_client() -> None:
    text = "redis: {url: 'redis://r', command_timeout: 70ms, connect_timeout: 30ms}\nstate: redis"

    stores = open_stores(settings_of(text), "full", ManualClock())

    assert stores.redis is not None
    client = stores.redis.executor._client
    assert isinstance(client, Redis)
    options = client.connection_pool.connection_kwargs
    assert (stores.redis.executor._bound_s, options["socket_connect_timeout"]) == (0.07, 0.03)
    await stores.aclose()


def test_a_url_that_can_not_be_used_is_an_error_that_names_its_setting() -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_stores(settings_of("redis: {url: 'redis://r/x'}\nstate: redis"), "full", ManualClock())

    assert list(caught.value.lines) == ["redis.url: expected the number of a database in the redis URL, found 'x'"]


def test_readiness_asks_the_stores_that_were_opened() -> None:
    container = Container(settings=settings_of(""), master_key="k")

    assert container.check_readiness().stores is container.store_watch()


async def test_gateway_whose_database_is_silent_starts_unready_and_names_it() -> None:
    text = "database: {url: 'postgresql://127.0.0.1:1/x'}\nstate: memory\n"
    facts = ProcessFacts("full", "database.url is set", "1")
    container = Container(settings=settings_of(text), master_key="k", facts=Object(facts), clock=Object(ManualClock()))

    async with container.app().test_app() as running:
        ready = await running.test_client().get("/ready")
        health = await running.test_client().get("/health")

    assert ready.status_code == 503
    assert await ready.get_json() == {
        "status": "not_ready",
        "parts": {"models": "ok", "server": "ok", "database": "does not answer"},
    }
    assert (health.status_code, (await health.get_json())["mode"]) == (200, "full")


async def test_redis_that_nobody_asks_any_more_is_said_to_be_away_even_where_it_answers_a_ping() -> None:
    stores = open_stores(settings_of(REDIS + "state: redis"), "full", ManualClock())
    assert stores.redis is not None
    with patch.object(RedisExecutor, "ping", return_value=True):
        assert await stores.probes["redis"].ping()

        stores.redis.breaker.trip("it is full")

        assert not await stores.probes["redis"].ping()
    await stores.aclose()
