"""Every view of the admin API, in a gateway as it is put together."""

import asyncio
import json
from pathlib import Path
from typing import Any

from dependency_injector.providers import Object

from bootstrap import Container
from bootstrap.settings import parse_settings

KEY = "mg_test"
HEADERS = {"authorization": f"Bearer {KEY}"}
QUERIES = {"/events": "?stream=usage_events"}


def container(data_dir: Path | None = None) -> Container:
    return Container(settings=parse_settings({}, environ={}).settings, master_key=KEY, data_dir=Object(data_dir))


async def shown(client: Any, path: str) -> Any:
    answer = await client.get(f"/admin/v1{path}", headers=HEADERS)
    assert answer.status_code == 200, path
    return await answer.get_json()


async def test_every_view_without_parameters_answers() -> None:
    made = container()
    client = made.app().test_client()
    views = [route.path for route in made.admin_api().routes if route.method == "GET" and not route.parameters]

    answers = {path: await shown(client, path + QUERIES.get(path, "")) for path in views}

    assert {"/usage", "/usage/records", "/dlq", "/models", "/routes", "/limits"} <= set(answers)
    assert {"/config", "/status", "/circuits", "/latency", "/events"} <= set(answers)


async def test_a_request_shows_in_usage_events_and_status(tmp_path: Path) -> None:
    made = container(tmp_path)
    client = made.app().test_client()
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "hi"}]})
    await made.bookkeeping().open()

    answer = await client.post("/v1/chat/completions", headers=HEADERS, data=body)
    async with asyncio.timeout(10):
        while not await made.drain_usage().drain():
            await made.deliver_usage().send()
            await asyncio.sleep(0)
    (record,) = (await shown(client, "/usage/records"))["data"]
    (event,) = (await shown(client, "/events?stream=usage_events"))["data"]
    status = await shown(client, "/status")
    await made.stores().aclose()

    assert record["request_id"] == event["fields"]["request_id"] == answer.headers["x-request-id"]
    assert (record["model"], record["outcome"], record["status"]) == ("echo", "success", 200)
    assert (status["schema_revision"], status["gateways"], status["usage"]["on_the_way"]) == ("0002", 1, 1)
