"""Secrets that are like nothing else, put wherever a secret can be, and looked for in everything that comes out."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.e2e import raw_http
from tests.e2e.behaviour import Behaviour, failing
from tests.e2e.gateway_process import Gateway
from tests.e2e.raw_http import RawReply
from tests.e2e.scripted_upstream import ScriptedUpstream

MASTER_KEY = "planted.master.zq7f3a"
PROVIDER_KEY = "planted.provider.zq91bc"
PROVIDER_HEADER = "planted.header.zq55ee"
REDIS_PASSWORD = "planted.redis.zq20d1"
CACHE_PASSWORD = "planted.cache.zq8c44"
DATABASE_PASSWORD = "planted.database.zq6b07"
PEPPER = "planted.pepper.zq3e19.0123456789"
WRONG_KEY = "planted.wrong.zq44aa"
QUERY_KEY = "planted.query.zq77bb"
PROMPT = "planted prompt zq1234"
ANSWER = "planted answer zq5678"

CREDENTIALS = (
    *(MASTER_KEY, PROVIDER_KEY, PROVIDER_HEADER, REDIS_PASSWORD, CACHE_PASSWORD, DATABASE_PASSWORD, PEPPER),
    *(WRONG_KEY, QUERY_KEY),
)
CONFIGURED = CREDENTIALS[:7]
WORDS = (PROMPT, ANSWER)

ECHO = f"wrong key in 'Authorization: Bearer {PROVIDER_KEY}', X-Tenant {PROVIDER_HEADER}, of {PROMPT}"


def found_in(text: str | bytes, secrets: tuple[str, ...]) -> list[str]:
    """Which of them stand there."""
    searched = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return [secret for secret in secrets if secret in searched]


def files_of(folder: Path) -> Mapping[str, bytes]:
    """Everything that was written there."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def plant(upstream: ScriptedUpstream) -> None:
    """Makes the upstream say what it must not."""
    choice = {"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}
    answer = {"id": "1", "object": "chat.completion", "created": 1, "model": "talks", "choices": [choice]}
    upstream.lane("talks").default = Behaviour(body=json.dumps(answer).encode())
    for status in (400, 401, 403, 429, 500, 503):
        upstream.lane(f"fails-{status}").default = failing(status, ECHO)
    upstream.lane("garbage").default = Behaviour(body=f"<html>{ECHO}</html>".encode())
    event = json.dumps({"error": {"message": ECHO, "type": "server_error", "code": PROVIDER_KEY}})
    upstream.lane("error-event").default = Behaviour(body=f"data: {event}\n\n".encode())


MODELS = ("talks", *(f"fails-{status}" for status in (400, 401, 403, 429, 500, 503)), "garbage", "error-event")


def planted_instance(model: str, base_url: str) -> dict[str, Any]:
    """An instance with secrets of its own."""
    headers = {"X-Tenant": PROVIDER_HEADER}
    provider = {"type": "custom", "model": model, "api_key": PROVIDER_KEY, "base_url": base_url, "headers": headers}
    return {"model_name": model, "id": model, "provider": provider}


async def ask_everything(gateway: Gateway) -> list[RawReply]:
    """Requests that succeed, fail, are refused and run into a defect."""
    requests = []
    for model in (*MODELS, "unknown"):
        for stream in (False, True):
            body = raw_http.chat(model, stream=stream, messages=[{"role": "user", "content": PROMPT}])
            requests.append(gateway.post(f"/v1/chat/completions?key={QUERY_KEY}", body))
    wrong = (("authorization", f"Bearer {WRONG_KEY}"), ("x-api-key", WRONG_KEY), ("api-key", WRONG_KEY))
    requests += [raw_http.post("/v1/chat/completions", raw_http.chat("talks"), dict([header])) for header in wrong]
    requests.append(gateway.post("/v1/chat/completions", f'{{"model": "talks", "x": {PROMPT}'.encode()))
    requests.append(gateway.post("/v1/chat/completions", json.dumps({"model": "talks", "messages": PROMPT}).encode()))
    paths = (f"/v1/models?key={QUERY_KEY}", f"/nowhere/{MASTER_KEY}/{PROVIDER_KEY}", "/metrics", "/admin/v1/config")
    requests += [gateway.get(path) for path in (*paths, "/admin/v1/status")]
    return [await raw_http.exchange(gateway.port, request) for request in requests]
