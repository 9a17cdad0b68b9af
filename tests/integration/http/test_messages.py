"""Anthropic's paths: what is asked, how it is answered, and that every error there has Anthropic's shape."""

import json
from typing import Any

import pytest
from anthropic.types import ErrorResponse

from adapters.inbound.http.receiving import BodyLimits
from adapters.inbound.http.schemas import FILE_TOKENS, parse_llm_request
from application import errors
from domain.chat import Chunk, Endpoint
from domain.failure import Failure, FailureKind
from tests.integration.http.live_server import http_request, raw_connection
from tests.integration.http.stubs import (
    BEARER,
    LLM_KEY,
    MASTER_KEY,
    ScriptedChunks,
    StubGateway,
    chunks,
    front_door,
    http_app,
)

ASKED = {"model": "gpt-4", "max_tokens": 9, "messages": [{"role": "user", "content": "12345678"}]}
FAILURE = Failure(FailureKind.RATE_LIMITED, "busy", retry_after_us=2_000_000)


async def post(
    path: str = "/v1/messages", gateway: StubGateway | None = None, headers: Any = BEARER, **fields: Any
) -> Any:
    client = http_app(gateway or StubGateway()).test_client()
    return await client.post(path, headers=headers, json={**ASKED, **fields})


async def refused(path: str = "/v1/messages", gateway: StubGateway | None = None, **fields: Any) -> tuple[int, str]:
    answer = await post(path, gateway, **fields)
    document = await answer.get_json()
    ErrorResponse.model_validate(document)
    assert set(document["error"]) == {"type", "message", "code", "param"}
    return answer.status_code, document["error"]["type"]


@pytest.mark.parametrize("path", ["/v1/messages", "/messages"])
async def test_messages_are_asked_for_with_and_without_a_version(path: str) -> None:
    gateway = StubGateway()
    headers = {"x-api-key": LLM_KEY, "anthropic-version": "2023-06-01", "anthropic-beta": "a,b"}
    answer = await post(path, gateway, headers, system="1234", tools=[{"name": "x"}])

    assert answer.status_code == 200
    assert answer.headers["request-id"] == answer.headers["x-request-id"]
    llm = gateway.asked[0].llm
    assert (llm.endpoint, llm.model, llm.max_output_tokens, llm.stream) == (Endpoint.MESSAGES, "gpt-4", 9, False)
    assert llm.betas == ("a", "b")
    assert llm.input_tokens == (8 + 4 + len('[{"name": "x"}]') + 3) // 4


@pytest.mark.parametrize("path", ["/v1/messages/count_tokens", "/messages/count_tokens"])
async def test_tokens_are_counted_without_a_maximum_and_never_streamed(path: str) -> None:
    gateway = StubGateway()
    assert (await post(path, gateway, max_tokens=None, stream=True)).status_code == 200
    llm = gateway.asked[0].llm
    assert (llm.endpoint, llm.max_output_tokens, llm.stream) == (Endpoint.COUNT_TOKENS, None, False)


@pytest.mark.parametrize("value", ["a b", "a;b", "a" * 129, ",".join(f"b-{number}" for number in range(65)), "ä"])
async def test_features_that_are_no_names_are_refused(value: str) -> None:
    answer = await post(headers={"x-api-key": LLM_KEY, "anthropic-beta": value})

    assert answer.status_code == 400
    assert (await answer.get_json())["error"]["param"] == "anthropic-beta"


async def test_features_are_named_once_and_asked_for_in_messages_alone() -> None:
    gateway = StubGateway()
    headers = {**BEARER, "anthropic-beta": "b-1, ,a-2,b-1"}
    await post("/v1/messages/count_tokens", gateway, headers)
    await post("/v1/chat/completions", gateway, headers)

    assert [asked.llm.betas for asked in gateway.asked] == [("b-1", "a-2"), ()]


async def test_other_paths_have_no_second_request_id() -> None:
    answer = await http_app().test_client().get("/v1/models", headers=BEARER)
    assert "request-id" not in answer.headers


@pytest.mark.parametrize(
    ("block", "tokens"),
    [
        ({"type": "text", "text": "1234"}, 1),
        ({"type": "image", "source": {"type": "url", "url": "https://x/y"}}, 1_600),
        ({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "1234"}]}, 1),
        ({"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1}}, 2),
        ({"type": "thinking", "thinking": "12345678", "signature": "x" * 99}, 2),
        ({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "1234"}}, 1),
    ],
)
async def test_all_that_becomes_prompt_is_estimated(block: dict[str, Any], tokens: int) -> None:
    gateway = StubGateway()
    await post(gateway=gateway, messages=[{"role": "user", "content": [block]}])
    assert gateway.asked[0].llm.input_tokens == tokens


async def test_no_count_exceeds_what_a_request_may_come_to() -> None:
    gateway = StubGateway()
    picture = {"type": "image", "source": {"type": "url", "url": "https://x/y"}}
    file = {"type": "document", "source": {"type": "url", "url": "https://x/y"}}
    await post(gateway=gateway, messages=[{"role": "user", "content": [picture, file]}])
    llm = gateway.asked[0].llm
    assert llm.most_input_tokens == len(llm.body) + 48_169 + 200_000


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": ["x"]}, "messages[0]"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": ["x"]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"system": 7}, "system"),
        ({"stop_sequences": "x"}, "stop_sequences"),
        ({"stop_sequences": [7]}, "stop_sequences[0]"),
        ({"tools": [7]}, "tools[0]"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"thinking": True}, "thinking"),
        ({"stream": "yes"}, "stream"),
    ],
)
async def test_a_wrong_field_is_named_in_anthropics_shape(fields: dict[str, Any], param: str) -> None:
    answer = await post(**fields)
    document = await answer.get_json()
    assert (answer.status_code, document["type"]) == (400, "error")
    assert (document["error"]["type"], document["error"]["param"]) == ("invalid_request_error", param)
    assert document["request_id"] == answer.headers["request-id"]


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (errors.InvalidRequest("x"), 400, "invalid_request_error"),
        (errors.ModelNotAllowed("x"), 403, "permission_error"),
        (errors.ModelNotFound("x"), 404, "not_found_error"),
        (errors.IdempotencyMismatch("x"), 422, "invalid_request_error"),
        (errors.UpstreamRateLimited("x", failure=FAILURE), 429, "rate_limit_error"),
        (RuntimeError("x"), 500, "api_error"),
        (errors.UpstreamFailed("x", failure=FAILURE), 502, "api_error"),
        (errors.NoInstanceAvailable("x", retry_after_us=1), 503, "overloaded_error"),
        (errors.DeadlineExceeded("x"), 504, "timeout_error"),
    ],
)
async def test_each_error_has_the_type_of_its_status(error: Exception, status: int, kind: str) -> None:
    assert await refused(gateway=StubGateway(error=error)) == (status, kind)


async def test_a_wrong_key_is_refused_at_the_front_door_in_anthropics_shape() -> None:
    assert await refused(headers={"x-api-key": "wrong"}) == (401, "authentication_error")


async def test_an_unknown_path_below_is_not_found_in_anthropics_shape() -> None:
    assert await refused("/v1/messages/batches") == (404, "not_found_error")


async def test_a_body_that_is_too_large_is_refused_in_anthropics_shape() -> None:
    door = front_door(BodyLimits(max_body_bytes=10))
    async with raw_connection(http_app(door=door)) as connection:
        await connection.send(http_request("/v1/messages", b"x" * 11, "Connection: close"))
        head, _, body = (await connection.rest()).partition(b"\r\n\r\n")
    assert b" 413 " in head.split(b"\r\n")[0]
    assert json.loads(body)["error"]["type"] == "request_too_large"


async def test_errors_elsewhere_keep_openais_shape() -> None:
    assert "type" not in await (await post("/v1/chat/completions", model=None)).get_json()


async def streamed(*script: Any) -> bytes:
    gateway = StubGateway(scripted=ScriptedChunks(list(script)))
    answer = await post(gateway=gateway, stream=True)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    body: bytes = await answer.get_data()
    return body


async def test_a_stream_names_its_events_and_has_no_end_of_its_own() -> None:
    told = await streamed(chunks('{"type":"message_start"}'), (Chunk(b"{}", visible=False),), chunks('{ "type": "x"}'))
    assert told == b'event: message_start\ndata: {"type":"message_start"}\n\nevent: x\ndata: { "type": "x"}\n\n'


async def test_a_stream_that_breaks_ends_with_an_error_event() -> None:
    broken = errors.StreamBroken("it broke", failure=Failure(FailureKind.BROKEN_REPLY, "cut"))
    _, _, last = (await streamed(chunks('{"type":"message_start"}'), broken)).partition(b"event: error\ndata: ")
    document = json.loads(last)
    assert (document["error"]["type"], document["error"]["code"]) == ("api_error", "upstream_error")
    assert document["request_id"]


async def test_the_master_key_may_come_as_anthropics_clients_send_it() -> None:
    assert (await post(headers={"x-api-key": MASTER_KEY})).status_code == 200


@pytest.mark.parametrize(
    ("fields", "sources"),
    [
        ({"tools": [{"name": "f"}, {"type": "custom", "name": "g"}, {"type": "bash_20250124", "name": "bash"}]}, 0),
        (
            {"tools": [{"type": "web_search_20250305", "name": "s"}, {"type": "code_execution_20250825", "name": "c"}]},
            2,
        ),
        ({"tools": [{"type": "mcp_toolset"}], "mcp_servers": [{"type": "url"}, {"type": "url"}]}, 2),
    ],
)
def test_what_a_provider_fetches_into_the_prompt_counts_in_its_bound(fields: dict[str, Any], sources: int) -> None:
    body = json.dumps({**ASKED, **fields}).encode()
    assert parse_llm_request(Endpoint.MESSAGES, body).most_input_tokens == len(body) + FILE_TOKENS * sources
