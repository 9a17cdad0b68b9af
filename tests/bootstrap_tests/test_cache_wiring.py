"""The cache in a gateway as it is put together, as clients and administrators see it."""

import json
from typing import Any

import pytest

from bootstrap import Container
from bootstrap.settings import parse_settings

KEY = "mg_test"
HEADERS = {"authorization": f"Bearer {KEY}"}
QUESTION: dict[str, Any] = {"model": "echo", "temperature": 0, "messages": [{"role": "user", "content": "hi"}]}


def container(**cache: Any) -> Container:
    return Container(settings=parse_settings({"cache": cache}, environ={}).settings, master_key=KEY)


async def ask(client: Any, fields: dict[str, Any] = QUESTION, /, **headers: str) -> Any:
    return await client.post("/v1/chat/completions", headers={**HEADERS, **headers}, data=json.dumps(fields))


async def stats(made: Container, client: Any, query: str = "") -> dict[str, Any]:
    await made.cache_uses().flush()
    answer = await client.get(f"/admin/v1/cache/stats{query}", headers=HEADERS)
    found: dict[str, Any] = await answer.get_json()
    return found


async def test_audit_11_cache_hits_and_misses_are_counted_by_scope_and_model() -> None:
    made = container()
    client = made.app().test_client()
    for fields in (QUESTION, QUESTION, {**QUESTION, "temperature": 1}):
        assert (await ask(client, fields)).status_code == 200

    whole, own, other = [await stats(made, client, query) for query in ("", "?scope=master:master", "?scope=team:T")]

    assert whole == own
    counted = {name: whole[name] for name in ("hits", "misses", "bypasses", "stores", "evictions", "entries")}
    assert counted == {"hits": 1, "misses": 1, "bypasses": 1, "stores": 1, "evictions": 0, "entries": 1}
    assert whole["by_model"] == {"echo": {"hits": 1, "misses": 1, "bypasses": 1}}
    assert whole["bytes"] > 0
    assert (other["hits"], other["by_model"]) == (0, {})


async def test_purged_replies_are_asked_for_again_and_the_purge_is_in_the_audit_log() -> None:
    made = container()
    client = made.app().test_client()
    for wanted, scope in (("MISS", None), ("HIT", "team:T"), ("HIT", "master:master"), ("MISS", None), ("HIT", None)):
        assert (await ask(client)).headers["x-cache"] == wanted
        if scope is not None or wanted == "HIT":
            body = json.dumps({} if scope is None else {"scope": scope})
            answer = await client.post("/admin/v1/cache/purge", headers=HEADERS, data=body)
            found = await answer.get_json()
            if scope == "team:T":
                assert (answer.status_code, "team:<id>" in found["error"]["message"]) == (404, True)
            else:
                assert found["purged"] == 1

    audit = await (await client.get("/admin/v1/audit", headers=HEADERS)).get_json()

    assert [entry["target"] for entry in audit["data"]] == ["cache:*", "cache:master:master"]
    assert {entry["action"] for entry in audit["data"]} == {"cache.purge"}


async def test_a_purge_leaves_what_idempotency_keys_got() -> None:
    made = container()
    client = made.app().test_client()
    fields = {**QUESTION, "temperature": 1}
    first = await ask(client, fields, **{"idempotency-key": "k"})
    await made.reply_keeping().close()
    await client.post("/admin/v1/cache/purge", headers=HEADERS, data="{}")

    again = await ask(client, fields, **{"idempotency-key": "k"})

    assert again.headers["idempotency-replayed"] == "true"
    assert await again.get_data() == await first.get_data()


@pytest.mark.parametrize(("most", "replayed"), [(67_108_864, "true"), (4_000, None)])
async def test_in_memory_a_key_is_remembered_for_as_long_as_its_bound_suffices(most: int, replayed: str | None) -> None:
    made = container(max_keyed_bytes=most, max_entry_bytes=2_000)
    client = made.app().test_client()
    for number in range(5):
        assert (await ask(client, QUESTION, **{"idempotency-key": f"k-{number}"})).status_code == 200
        await made.reply_keeping().close()

    first, last = [await ask(client, QUESTION, **{"idempotency-key": f"k-{number}"}) for number in (0, 4)]

    assert (first.headers.get("idempotency-replayed"), last.headers["idempotency-replayed"]) == (replayed, "true")


@pytest.mark.parametrize(
    ("header", "value"),
    [("x-moongate-cache", "max-age=3"), ("idempotency-key", "x" * 256), ("idempotency-key", "")],
)
async def test_a_wish_that_is_none_is_refused_in_words(header: str, value: str) -> None:
    answer = await ask(container().app().test_client(), QUESTION, **{header: value})

    error = (await answer.get_json())["error"]
    assert (answer.status_code, error["code"]) == (400, "invalid_request")
    assert header in error["param"].lower()


async def test_headers_say_how_a_request_met_the_cache() -> None:
    client = container().app().test_client()
    miss, hit = await ask(client), await ask(client)
    bypass = await ask(client, {**QUESTION, "temperature": 1})
    off = await ask(container(enabled=False).app().test_client())

    assert [each.headers.get("x-cache") for each in (miss, hit, bypass, off)] == ["MISS", "HIT", "BYPASS", None]
    assert (hit.headers["age"], hit.headers["x-moongate-cost"]) == ("0", "0")
    assert hit.headers["x-cache-time"].endswith("Z")
    assert "x-moongate-instance" not in hit.headers


async def test_a_stream_from_the_cache_costs_nothing_and_says_so() -> None:
    made = container()
    client = made.app().test_client()
    fields, keyed = {**QUESTION, "stream": True}, {"idempotency-key": "k"}
    miss, run = await ask(client, fields), await ask(client, {**fields, "temperature": 1}, **keyed)
    await made.reply_keeping().close()
    hit, replay = await ask(client, fields), await ask(client, {**fields, "temperature": 1}, **keyed)

    assert [each.headers.get("x-cache") for each in (miss, hit)] == ["MISS", "HIT"]
    assert replay.headers["idempotency-replayed"] == "true"
    costs = [each.headers.get("x-moongate-cost") for each in (miss, hit, run, replay)]
    assert costs == [None, "0", None, "0"]


@pytest.mark.parametrize(
    ("n", "met"), [({}, "HIT"), ({"n": 1}, "HIT"), ({"n": 2}, "BYPASS"), ({"best_of": 2}, "BYPASS")]
)
async def test_several_prompts_at_once_are_cached_as_one_is(n: dict[str, int], met: str) -> None:
    client = container().app().test_client()
    fields = {"model": "echo", "temperature": 0, "prompt": ["one", "two"], **n}
    answers = [
        await client.post("/v1/completions", headers=HEADERS, data=json.dumps(fields | more))
        for more in ({}, {}, {"prompt": ["two", "one"]})
    ]

    assert [answer.headers["x-cache"] for answer in answers[1:]] == [met, "MISS" if met == "HIT" else met]
    assert [answer.status_code for answer in answers] == [200, 200, 200]


async def test_only_if_cached_is_a_504_of_its_own() -> None:
    answer = await ask(container().app().test_client(), QUESTION, **{"x-moongate-cache": "only-if-cached"})

    assert (answer.status_code, (await answer.get_json())["error"]["code"]) == (504, "cache_miss")
