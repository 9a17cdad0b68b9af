"""The admin API as it is wired: what it changes holds in the same process before it answers."""

import json
from typing import Any

import pytest
from quart import typing as quart_typing

from bootstrap import Container
from bootstrap.settings import parse_settings

MASTER = {"authorization": "Bearer master-secret"}


@pytest.fixture
async def client() -> quart_typing.TestClientProtocol:
    """Of a gateway that follows changes, and so keeps keys; that it will not hear of the next ones, until it asks."""
    settings = parse_settings({}, environ={}).settings
    container = Container(settings=settings, master_key="master-secret")
    await container.change_feed().catch_up()
    found: quart_typing.TestClientProtocol = container.http_app().test_client()
    return found


async def made(client: quart_typing.TestClientProtocol) -> dict[str, Any]:
    answer = await client.post("/admin/v1/keys", headers=MASTER, data=json.dumps({"name": "ci"}))
    document = await answer.get_json()
    assert isinstance(document, dict)
    return document


async def status(client: quart_typing.TestClientProtocol, key: str) -> int:
    return (await client.get("/v1/models", headers={"x-api-key": key})).status_code


async def test_rotated_key_is_refused_at_once_and_the_new_one_is_not(client: quart_typing.TestClientProtocol) -> None:
    old = await made(client)
    assert await status(client, old["key"]) == 200

    answer = await client.post(f"/admin/v1/keys/{old['id']}/rotate", headers=MASTER)

    new = (await answer.get_json())["key"]
    assert (await status(client, old["key"]), await status(client, new)) == (401, 200)


async def test_revoked_and_blocked_keys_are_refused_at_once(client: quart_typing.TestClientProtocol) -> None:
    revoked, blocked = await made(client), await made(client)
    assert [await status(client, key["key"]) for key in (revoked, blocked)] == [200, 200]

    await client.delete(f"/admin/v1/keys/{revoked['id']}", headers=MASTER)
    await client.patch(f"/admin/v1/keys/{blocked['id']}", headers=MASTER, data=json.dumps({"blocked": True}))

    assert [await status(client, key["key"]) for key in (revoked, blocked)] == [401, 401]
