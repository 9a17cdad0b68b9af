"""Keys, prompts and answers never appear in logs, metrics, traces, error bodies or files."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.e2e import raw_http
from tests.e2e.gateway_process import Gateway, configuration, running_gateway, start_gateway
from tests.e2e.otlp_receiver import running_collector
from tests.e2e.scripted_upstream import ScriptedUpstream
from tests.e2e.support import eventually
from tests.ports import free_port
from tests.security import planted

FAULTY = "tests.security.faulty_gateway"
ANSWERS = {200, 400, 401, 404, 429, 500, 502}
WITHOUT_STORES = {401, 404, 500, 503}
RUNS = [
    ("lite", "debug", "json", ANSWERS),
    ("full", "debug", "text", WITHOUT_STORES),
    pytest.param("lite", "debug", "text", ANSWERS, marks=pytest.mark.long),
    pytest.param("lite", "warning", "json", ANSWERS, marks=pytest.mark.long),
    pytest.param("full", "debug", "json", WITHOUT_STORES, marks=pytest.mark.long),
]


async def alive(gateway: Gateway) -> bool:
    try:
        reply = await raw_http.exchange(gateway.port, raw_http.get("/health"), within_s=2)
    except (OSError, EOFError):
        return False
    return reply.status == 200


async def ended(gateway: Gateway) -> str:
    gateway.terminate()
    assert await gateway.exited() == 0
    return gateway.log.read_text(encoding="utf-8")


def document_of(url: str, mode: str, **observability: str) -> dict[str, object]:
    """A secret wherever the configuration has room for one."""
    dead = free_port()
    document = configuration(
        [planted.planted_instance(model, url) for model in planted.MODELS],
        router={"instance_retry_attempts": 0},
        redis={"url": f"redis://:{planted.REDIS_PASSWORD}@127.0.0.1:{dead}/0"},
        database={"url": f"postgresql://u:{planted.DATABASE_PASSWORD}@127.0.0.1:{dead}/d"},
        cache={"url": f"redis://:{planted.CACHE_PASSWORD}@127.0.0.1:{dead}/1"},
        observability=observability,
    )
    return document | {"mode": mode, "auth": {"master_key": planted.MASTER_KEY, "key_pepper": planted.PEPPER}}


async def asked(document: dict[str, object], folder: Path) -> tuple[list[raw_http.RawReply], str]:
    """What a gateway with a defect answered, and all that it wrote."""
    gateway = start_gateway(document, folder, module=FAULTY, key=planted.MASTER_KEY)
    try:
        await eventually(lambda: alive(gateway), within_s=30, what="the gateway is alive")
        replies = await planted.ask_everything(gateway)
        return replies, await ended(gateway)
    finally:
        gateway.process.kill()
        gateway.process.wait()


@pytest.mark.parametrize(("mode", "level", "style", "statuses"), RUNS)
async def test_nothing_that_a_gateway_says_holds_a_planted_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, level: str, style: str, statuses: set[int]
) -> None:
    monkeypatch.setenv("PLANTED_SECRETS", json.dumps(planted.CONFIGURED))
    async with ScriptedUpstream() as upstream:
        planted.plant(upstream)
        with running_collector() as collector:
            document = document_of(
                upstream.base_url, mode, log_level=level, log_format=style, otlp_endpoint=collector.endpoint
            )
            replies, log = await asked(document, tmp_path)
            told = bytes(collector.raw)

    # All that was to happen did: else nothing is found because there is nothing.
    assert {reply.status for reply in replies} >= statuses
    assert "Traceback" in log
    assert log.count("moongate.access") >= (len(replies) if level == "debug" else 5)
    assert len(told) > 1_000
    assert planted.found_in(log, planted.CREDENTIALS + planted.WORDS) == []
    assert planted.found_in(told, planted.CREDENTIALS + planted.WORDS) == []
    for reply in replies:
        assert planted.found_in(reply.body + str(reply.headers).encode(), planted.CREDENTIALS) == [], reply
    for path, content in planted.files_of(tmp_path / "data").items():
        assert planted.found_in(content, planted.CREDENTIALS + planted.WORDS) == [], path


async def test_bodies_are_shown_only_while_the_switch_is_on_and_without_keys(tmp_path: Path) -> None:
    async with ScriptedUpstream() as upstream:
        planted.plant(upstream)
        document = configuration(
            [planted.planted_instance("talks", upstream.base_url)], observability={"log_level": "error"}
        )
        async with running_gateway(document, tmp_path) as gateway:
            switch = "/admin/v1/debug/bodies"
            await ask(gateway, f"before {planted.PROMPT}")
            on = await raw_http.exchange(gateway.port, gateway.post(switch, b'{"seconds": 60}'))
            await ask(gateway, f"during {planted.PROMPT} key {planted.PROVIDER_KEY} and {gateway.key}")
            made = await raw_http.exchange(gateway.port, gateway.post("/admin/v1/keys", b'{"name": "k"}'))
            off = raw_http.get(switch, {"authorization": f"Bearer {gateway.key}"}).replace(b"GET", b"DELETE", 1)
            ended_well = await raw_http.exchange(gateway.port, off)
            await ask(gateway, f"after {planted.PROMPT}")
            secret = made.json()["key"]
            audit = (await raw_http.exchange(gateway.port, gateway.get("/admin/v1/audit"))).json()["data"]
        lines = gateway.log.read_text(encoding="utf-8").splitlines()

    shown = [json.loads(line) for line in lines if '"moongate.bodies"' in line]
    assert (on.status, made.status, ended_well.status) == (200, 201, 204)
    assert len(shown) == 1
    assert f"during {planted.PROMPT}" in shown[0]["request_body"]
    assert planted.ANSWER in shown[0]["response_body"]
    assert planted.found_in("\n".join(lines), (planted.PROVIDER_KEY, gateway.key, secret)) == []
    assert [entry["action"] for entry in audit if entry["target"] == "debug:bodies"] == ["debug.bodies"] * 2


async def ask(gateway: Gateway, prompt: str) -> None:
    body = raw_http.chat("talks", messages=[{"role": "user", "content": prompt}])
    reply = await raw_http.exchange(gateway.port, gateway.post("/v1/chat/completions", body))
    assert reply.status == 200
    await asyncio.sleep(0)
