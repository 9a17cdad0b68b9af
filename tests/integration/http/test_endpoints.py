"""The endpoints, their spellings, and what reaches the use cases."""

import json

import pytest

from application.use_cases.check_readiness import Readiness
from domain.catalog import Instance
from domain.chat import Endpoint
from domain.identifiers import InstanceId, ModelName
from tests.integration.http.stubs import BEARER, REPLY, StubGateway, http_app, trace

CHAT = "/v1/chat/completions"
ASK = {"model": "gpt-4", "messages": [{"role": "user", "content": "hello"}]}


@pytest.mark.parametrize(
    ("path", "document", "endpoint"),
    [
        ("chat/completions", ASK, Endpoint.CHAT),
        ("completions", {"model": "gpt-4", "prompt": "x"}, Endpoint.COMPLETIONS),
        ("embeddings", {"model": "gpt-4", "input": "x"}, Endpoint.EMBEDDINGS),
    ],
)
@pytest.mark.parametrize("prefix", ["/v1/", "/", "/openai/deployments/gpt-4/"])
async def test_llm_endpoint_answers_at_all_its_paths(
    prefix: str, path: str, document: dict[str, object], endpoint: Endpoint
) -> None:
    gateway = StubGateway()

    answer = (
        await http_app(gateway)
        .test_client()
        .post(f"{prefix}{path}?api-version=2024-10-21", json=document, headers=BEARER)
    )

    assert answer.status_code == 200
    assert await answer.get_data(as_text=False) == REPLY
    assert answer.headers["content-type"] == "application/json"
    assert [(request.llm.endpoint, request.llm.model) for request in gateway.asked] == [(endpoint, "gpt-4")]


@pytest.mark.parametrize("document", [{"messages": ASK["messages"]}, {**ASK, "model": "another"}])
async def test_deployment_in_the_path_is_the_model_whatever_the_body_says(document: dict[str, object]) -> None:
    gateway = StubGateway()
    path = "/openai/deployments/meta/llama-3/chat/completions?api-version=x"

    answer = await http_app(gateway).test_client().post(path, json=document, headers=BEARER)

    assert answer.status_code == 200
    assert gateway.asked[0].llm.model == "meta/llama-3"


async def test_request_reaches_the_use_case_whole() -> None:
    gateway = StubGateway()
    document = {**ASK, "max_tokens": 9, "max_completion_tokens": 7, "response_format": {"type": "x"}, "new": [1.5]}
    body = json.dumps(document, indent=3).encode()
    headers = {
        **BEARER,
        "x-request-timeout-ms": "1500",
        "x-moongate-tags": "eu, gold,,",
        "x-request-id": "client:1.a-b_c",
    }

    answer = await http_app(gateway).test_client().post(CHAT, data=body, headers=headers)

    request = gateway.asked[0]
    assert request.llm.body == body
    assert request.llm.fields == document
    assert request.llm.max_output_tokens == 9  # which of both counts is the provider's to choose
    assert request.llm.input_tokens == 2
    assert request.timeout_us == 1_500_000
    assert request.tags == {"eu", "gold"}
    assert request.client_request_id == "client:1.a-b_c"
    assert request.caller.id == "master"
    assert answer.headers["x-client-request-id"] == "client:1.a-b_c"
    assert answer.headers["x-request-id"] == request.request_id
    assert request.request_id[14] == "7"


@pytest.mark.parametrize(
    ("path", "document", "tokens"),
    [
        (CHAT, {"messages": [{"role": "system", "content": "abcd"}, {"role": "user", "content": "efghi"}]}, 3),
        (
            CHAT,
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "abcd"}, {"type": "image_url"}]}]},
            1,
        ),
        (CHAT, {"messages": [{"role": "assistant", "content": None}]}, 0),
        ("/v1/completions", {"prompt": ["abcd", "efgh"]}, 2),
        ("/v1/completions", {"prompt": [1, 2, 3]}, 3),
        ("/v1/embeddings", {"input": "abcdefgh"}, 2),
        ("/v1/embeddings", {"input": [[1, 2], [3]]}, 3),
    ],
)
async def test_input_tokens_are_estimated_over_text_and_counted_over_tokens(
    path: str, document: dict[str, object], tokens: int
) -> None:
    gateway = StubGateway()

    await http_app(gateway).test_client().post(path, json={"model": "m", **document}, headers=BEARER)

    assert [request.llm.input_tokens for request in gateway.asked] == [tokens]


async def test_null_counts_as_absent() -> None:
    gateway = StubGateway()
    nulls = dict.fromkeys(("stream", "stream_options", "n", "max_tokens", "temperature", "stop", "tools"))

    answer = await http_app(gateway).test_client().post(CHAT, json={**ASK, **nulls}, headers=BEARER)

    assert answer.status_code == 200
    assert gateway.asked[0].llm.max_output_tokens is None


@pytest.mark.parametrize("value", ["", "a" * 129, "a b", "a\u00e9", "<script>"])
async def test_client_request_id_that_is_not_safe_is_left_out(value: str) -> None:
    gateway = StubGateway()

    answer = await http_app(gateway).test_client().post(CHAT, json=ASK, headers={**BEARER, "x-request-id": value})

    assert "x-client-request-id" not in answer.headers
    assert gateway.asked[0].client_request_id is None


async def test_answer_tells_who_served_it_at_what_cost() -> None:
    gateway = StubGateway(story=trace(["gpt-4", "gpt-3.5"], attempts=4))

    answer = await http_app(gateway).test_client().post(CHAT, json=ASK, headers=BEARER)

    assert answer.headers["x-moongate-instance"] == "gpt4-eu"
    assert answer.headers["x-moongate-model"] == "gpt-4"
    assert answer.headers["x-moongate-attempts"] == "4"
    assert answer.headers["x-moongate-fallbacks"] == "gpt-4>gpt-3.5"
    assert answer.headers["x-moongate-cost"] == "0.0125"


async def test_answer_without_fallback_has_no_fallbacks_header() -> None:
    answer = await http_app().test_client().post(CHAT, json=ASK, headers=BEARER)

    assert "x-moongate-fallbacks" not in answer.headers


async def test_names_outside_ascii_are_escaped_in_headers() -> None:
    gateway = StubGateway(instance=Instance(InstanceId("m\u00fcnchen\r\n1"), ModelName("mod\u00e8le"), "echo", "x"))

    answer = await http_app(gateway).test_client().post(CHAT, json=ASK, headers=BEARER)

    assert answer.headers["x-moongate-instance"] == "m%C3%BCnchen%0D%0A1"
    assert answer.headers["x-moongate-model"] == "mod%C3%A8le"


@pytest.mark.parametrize("path", ["/v1/models", "/models", "/v1/models/"])
async def test_models_are_listed(path: str) -> None:
    answer = await http_app().test_client().get(path, headers=BEARER)

    listed = await answer.get_json()
    assert listed["object"] == "list"
    assert listed["data"][0] == {
        "id": "gpt-4",
        "object": "model",
        "created": 1_700_000_000,
        "owned_by": "openai",
        "capabilities": ["chat", "embeddings"],
        "supported_parameters": ["stop", "tools"],
        "context_window": 128_000,
    }


@pytest.mark.parametrize("path", ["/v1/models/meta/llama-3", "/models/meta/llama-3", "/v1/models/meta%2Fllama-3"])
async def test_model_is_found_by_an_id_with_slashes(path: str) -> None:
    answer = await http_app().test_client().get(path, headers=BEARER)

    assert (await answer.get_json())["id"] == "meta/llama-3"


async def test_unknown_model_is_404() -> None:
    answer = await http_app().test_client().get("/v1/models/nope", headers=BEARER)

    assert answer.status_code == 404
    assert (await answer.get_json())["error"]["code"] == "model_not_found"


async def test_health_tells_mode_reason_and_version_without_a_key() -> None:
    answer = await http_app().test_client().get("/health")

    assert await answer.get_json() == {
        "status": "ok",
        "mode": "lite",
        "reason": "no store is configured",
        "version": "1.2.3",
    }


@pytest.mark.parametrize(("ready", "status"), [(True, 200), (False, 503)])
async def test_ready_tells_its_parts_without_a_key(*, ready: bool, status: int) -> None:
    gateway = StubGateway(readiness=Readiness(ready=ready, parts={"models": "some"}))

    answer = await http_app(gateway).test_client().get("/ready")

    assert answer.status_code == status
    assert (await answer.get_json())["parts"] == {"models": "some"}


async def test_metrics_are_told_without_a_key_in_the_format_that_is_asked_for() -> None:
    answer = await http_app().test_client().get("/metrics", headers={"accept": "application/openmetrics-text"})

    assert (answer.status_code, answer.content_type) == (200, "text/plain; version=0.0.4")
    assert await answer.get_data() == b"accept application/openmetrics-text\n"
    assert answer.headers["cache-control"] == "no-store"


async def test_metrics_that_are_turned_off_are_not_found() -> None:
    answer = await http_app(measures=False).test_client().get("/metrics")

    assert answer.status_code == 404
    assert (await answer.get_json())["error"]["code"] == "not_found"


async def test_decision_of_a_request_is_shown_to_the_master_key() -> None:
    gateway = StubGateway(kept={"r-1": trace()})

    answer = await http_app(gateway).test_client().get("/admin/v1/decisions/r-1", headers=BEARER)

    shown = await answer.get_json()
    assert shown["requested_model"] == "gpt-4"
    assert shown["attempts"][0]["instance_id"] == "gpt4-eu"


async def test_decision_that_is_not_kept_is_404() -> None:
    answer = await http_app().test_client().get("/admin/v1/decisions/r-9", headers=BEARER)

    assert answer.status_code == 404


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
async def test_head_and_options_answer_without_a_body(method: str) -> None:
    answer = await http_app().test_client().open("/v1/models", method=method, headers=BEARER, json=None)

    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers
    if method == "OPTIONS":
        assert "GET" in answer.headers["allow"]


async def test_plain_application_takes_the_lean_way_and_a_hooked_one_takes_quarts() -> None:
    app, seen = http_app(), []
    assert app._is_hooked() is False

    @app.before_request
    async def hook() -> None:
        seen.append("before")

    @app.after_request
    async def after(response: object) -> object:
        seen.append("after")
        return response

    answer = await app.test_client().get("/health")

    assert answer.status_code == 200
    assert seen == ["before", "after"]
