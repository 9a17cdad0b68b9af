"""Who gets in, by which header, and that every path but the open ones asks."""

import re

import pytest

from adapters.inbound.http.app import GatewayApp
from tests.integration.http.stubs import LLM_KEY, MASTER_KEY, StubGateway, http_app

CHAT = "/v1/chat/completions"
ASK = {"model": "gpt-4", "messages": [{"role": "user", "content": "hello"}]}

WITH_KEY = [
    {"authorization": f"Bearer {LLM_KEY}"},
    {"authorization": f"bearer   {LLM_KEY}"},
    {"x-api-key": LLM_KEY},
    {"api-key": LLM_KEY},
    {"authorization": "Bearer ", "api-key": LLM_KEY},
    {"authorization": "Basic eDp5", "x-api-key": LLM_KEY},
    {"authorization": f"Bearer {LLM_KEY}", "x-api-key": "wrong"},
]
WITHOUT_KEY = [
    {},
    {"authorization": "Bearer wrong"},
    {"authorization": "Bearer"},
    {"authorization": MASTER_KEY},
    {"authorization": f"Basic {MASTER_KEY}"},
    {"x-api-key": ""},
    {"authorization": "Bearer wrong", "x-api-key": MASTER_KEY},
    {"authorization": "Bearer ' OR 1=1 --"},
    {"authorization": "Bearer k\u00e9y"},
]


@pytest.mark.parametrize("headers", WITH_KEY)
async def test_credential_is_taken_from_any_of_three_headers(headers: dict[str, str]) -> None:
    gateway = StubGateway()

    answer = await http_app(gateway).test_client().post(CHAT, json=ASK, headers=headers)

    assert answer.status_code == 200
    assert gateway.asked[0].caller.id == "key-1"


def every_rule(app: GatewayApp) -> list[tuple[str, str]]:
    """Each path of the application with one of its methods, with names filled in."""
    filled = [(re.sub(r"<[^>]+>", "m", rule.rule), rule) for rule in app.url_map.iter_rules()]
    return [(path, method) for path, rule in filled for method in sorted(rule.methods or ())]


@pytest.mark.parametrize("headers", WITHOUT_KEY)
async def test_every_path_but_the_open_ones_wants_a_valid_key(headers: dict[str, str]) -> None:
    app = http_app()
    messages = set()
    rules = [*every_rule(app), ("/health/", "GET")]

    for path, method in rules:
        answer = await app.test_client().open(path, method=method, headers=headers, json=None)
        if path in {"/health", "/ready", "/docs", "/openapi.json", "/metrics"}:
            assert answer.status_code == 200
            continue
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"] == "Bearer"
        messages.add((await answer.get_json())["error"]["message"])

    assert len(messages) == 1


@pytest.mark.parametrize("headers", WITHOUT_KEY)
@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/unknown", "GET", 404),
        ("//health", "GET", 404),
        ("//v1/chat/completions", "POST", 404),
        ("/admin/v2/keys", "POST", 404),
        ("/v1/chat/completions", "GET", 405),
        ("/health", "DELETE", 405),
    ],
)
async def test_what_is_not_there_is_said_to_be_not_there_whoever_asks(
    headers: dict[str, str], path: str, method: str, status: int
) -> None:
    ask = getattr(http_app().test_client(), method.lower())

    answer = await ask(path, headers=headers)

    assert answer.status_code == status
    assert (await answer.get_json())["error"]["code"] in {"not_found", "method_not_allowed"}


async def test_every_admin_path_is_closed_to_a_valid_key_that_is_not_the_master_key() -> None:
    app, asked = http_app(gateway := StubGateway()), []

    for path, method in every_rule(app):
        if path.startswith("/admin/") and method != "OPTIONS":
            answer = await app.test_client().open(path, method=method, headers={"x-api-key": LLM_KEY}, json=None)
            assert answer.status_code == 403, (method, path)
            asked.append(path)

    assert len(asked) >= 5
    assert gateway.controlled == []
