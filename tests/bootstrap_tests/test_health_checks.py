"""How health checks are configured, and what a gateway as it is put together does about them."""

import asyncio
from typing import Any

import pytest
from dependency_injector.providers import Object

from adapters.testing.doubles import FakeProviderDirectory
from adapters.testing.scripted_provider import ScriptedProvider
from bootstrap import Container
from bootstrap.configuration_error import ConfigurationError
from bootstrap.settings import parse_settings
from domain.durations import MINUTE_US, SECOND_US
from domain.health_report import REPORT_TTL_US
from domain.identifiers import InstanceId

KEY = "mg_test"
HEADERS = {"authorization": f"Bearer {KEY}"}
MODELS = [{"model_name": "gpt", "id": "one", "provider": {"type": "echo"}}]


def container(interval: str, **more: Any) -> Container:
    document = {"model_list": MODELS, "router": {"health_check_interval": interval}}
    return Container(settings=parse_settings(document, environ={}).settings, master_key=KEY, **more)


async def test_instances_are_checked_beside_the_requests_and_the_admin_api_shows_it() -> None:
    provider = ScriptedProvider()
    directory = FakeProviderDirectory({InstanceId("one"): provider})
    made = container("100ms", provider_directory=Object(directory))
    client = made.app().test_client()

    async with made.app().test_app():
        async with asyncio.timeout(10):
            while not made.health_rounds().known:  # noqa: ASYNC110 - it is a tenth of a second
                await asyncio.sleep(0.01)
        (shown,) = (await (await client.get("/admin/v1/instances", headers=HEADERS)).get_json())["data"]
        (model,) = (await (await client.get("/admin/v1/models", headers=HEADERS)).get_json())["data"]

    assert (shown["last_check"]["ok"], shown["last_check"]["status"]) == (True, 200)
    assert (model["checks"]["healthy"], model["checks"]["unknown"]) == (1, 0)
    assert provider.calls == []


async def test_checks_that_are_turned_off_are_made_by_operators_alone() -> None:
    made = container("0s")
    client = made.app().test_client()

    async with made.app().test_app():
        answer = await client.post("/admin/v1/instances/one/check", headers=HEADERS)
        (shown,) = (await (await client.get("/admin/v1/instances", headers=HEADERS)).get_json())["data"]

    assert made.health_checks().works() == {}
    assert answer.status_code == 200
    assert (await answer.get_json())["ok"]
    assert shown["last_check"] == await answer.get_json()


@pytest.mark.parametrize(
    ("interval", "timeout_us", "ttl_us"),
    [
        ("30s", 10 * SECOND_US, REPORT_TTL_US),
        ("4s", 2 * SECOND_US, REPORT_TTL_US),
        ("10m", 10 * SECOND_US, 30 * MINUTE_US),
        ("0s", 10 * SECOND_US, REPORT_TTL_US),
    ],
)
def test_a_check_is_over_before_the_next_and_believed_until_after_it(
    interval: str, timeout_us: int, ttl_us: int
) -> None:
    check = container(interval).check_health()

    assert (check.timeout_us, check.ttl_us) == (timeout_us, ttl_us)


@pytest.mark.parametrize("interval", ["99ms", "1us", "-1s"])
def test_an_interval_too_short_is_refused(interval: str) -> None:
    with pytest.raises(ConfigurationError):
        container(interval)
