"""The endpoint for responses: its paths, what it reads of a request, and how its streams are framed."""

import json
from typing import Any

import pytest
from openai.types.responses import ResponseErrorEvent

from adapters.inbound.http.schemas import FILE_TOKENS, IMAGE_TOKENS, parse_llm_request
from application.errors import InvalidRequest, StreamBroken, UnsupportedOperation, UpstreamFailed
from domain.chat import Endpoint, LlmRequest
from domain.failure import Failure, FailureKind
from tests.integration.http.stubs import BEARER, REPLY, ScriptedChunks, StubGateway, chunks, http_app

ASK: dict[str, Any] = {"model": "gpt-4", "input": "hello"}
BROKEN = StreamBroken("the stream broke off", failure=Failure(FailureKind.BROKEN_REPLY, "cut"))
CREATED = '{"type":"response.created","response":{},"sequence_number":0}'
DELTA = '{"type":"response.output_text.delta","delta":"\\"sequence_number\\":9","sequence_number":1}'


def parsed(**fields: Any) -> LlmRequest:
    return parse_llm_request(Endpoint.RESPONSES, json.dumps({**ASK, **fields}).encode())


async def streamed(script: ScriptedChunks) -> str:
    client = http_app(StubGateway(scripted=script)).test_client()
    answer = await client.post("/v1/responses", json={**ASK, "stream": True}, headers=BEARER)
    return str(await answer.get_data(as_text=True))


@pytest.mark.parametrize("path", ["/v1/responses", "/responses", "/openai/responses", "/openai/v1/responses"])
async def test_response_is_asked_for_at_all_its_paths(path: str) -> None:
    gateway = StubGateway()

    answer = await http_app(gateway).test_client().post(path, json=ASK, headers=BEARER)

    assert answer.status_code == 200
    assert await answer.get_data(as_text=False) == REPLY
    assert [(request.llm.endpoint, request.llm.model) for request in gateway.asked] == [(Endpoint.RESPONSES, "gpt-4")]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_stored_responses_are_not_offered(method: str) -> None:
    client = http_app(StubGateway()).test_client()

    answer = await getattr(client, method.lower())("/v1/responses/resp_1", headers=BEARER)

    assert answer.status_code == 404
    assert (await answer.get_json())["error"]["code"] == "not_found"


async def test_events_are_named_and_nothing_comes_after_the_last() -> None:
    assert await streamed(ScriptedChunks([chunks(CREATED, DELTA)])) == (
        f"event: response.created\ndata: {CREATED}\n\nevent: response.output_text.delta\ndata: {DELTA}\n\n"
    )


async def test_stream_that_breaks_ends_with_a_numbered_error() -> None:
    told = await streamed(ScriptedChunks([chunks(CREATED), chunks(DELTA), BROKEN]))

    name, data = told.split("\n\n")[-2].split("\n")
    document = json.loads(data.removeprefix("data: "))
    event = ResponseErrorEvent.model_validate(document)
    assert name == "event: error"
    assert (event.sequence_number, event.code, event.message) == (2, "upstream_error", "the stream broke off")
    assert document["error"]["type"] == "upstream_error"


async def test_failure_before_the_stream_is_an_openai_error() -> None:
    error = UpstreamFailed("all failed", failure=Failure(FailureKind.SERVER_ERROR, "x"))
    client = http_app(StubGateway(error=error)).test_client()

    answer = await client.post("/v1/responses", json={**ASK, "stream": True}, headers=BEARER)

    assert answer.status_code == 502
    assert (await answer.get_json())["error"]["type"] == "upstream_error"


def test_request_is_read_as_far_as_the_gateway_acts_on_it() -> None:
    request = parsed(stream=True, max_output_tokens=9)

    assert (request.stream, request.stream_usage, request.max_output_tokens) == (True, True, 9)
    assert (request.choices, request.model) == (1, "gpt-4")


def test_prompt_is_estimated_from_all_text() -> None:
    items = [
        {"role": "user", "content": "a" * 40},
        {"role": "user", "content": [{"type": "input_text", "text": "b" * 40}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "c" * 40},
        {"type": "function_call_output", "call_id": "c", "output": "d" * 40},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "e" * 40}]},
    ]

    assert parsed(input=items, instructions="f" * 40).input_tokens == 60
    assert parsed(input="a" * 40).input_tokens == 10


@pytest.mark.parametrize(
    ("fields", "more"),
    [
        ({}, 0),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "u"}]}]}, IMAGE_TOKENS),
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]}, FILE_TOKENS),
        ({"input": [{"type": "item_reference", "id": "m"}]}, FILE_TOKENS),
        ({"tools": [{"type": "function", "name": "f"}]}, 0),
        ({"tools": [{"type": "web_search"}]}, FILE_TOKENS),
        ({"previous_response_id": "resp_1"}, FILE_TOKENS),
        ({"input": None, "prompt": {"id": "p"}}, FILE_TOKENS),
    ],
)
def test_most_tokens_cover_what_is_not_in_the_request(fields: dict[str, Any], more: int) -> None:
    assert parsed(**fields).most_input_tokens == len(json.dumps({**ASK, **fields})) + more


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": ["x"]}, "input[0]"),
        ({"input": [{"content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": ["x"]}]}, "input[0].content[0]"),
        ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input[0].content[0].text"),
        ({"instructions": ["x"]}, "instructions"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"background": 1}, "background"),
        ({"tools": ["x"]}, "tools[0]"),
        ({"temperature": "hot"}, "temperature"),
    ],
)
def test_wrong_field_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parsed(**fields)

    assert refused.value.param == param


@pytest.mark.parametrize("stream", [False, True])
def test_response_that_would_go_on_unseen_and_unbilled_is_refused(*, stream: bool) -> None:
    with pytest.raises(UnsupportedOperation) as refused:
        parsed(background=True, stream=stream)

    assert refused.value.param == "background"
    assert parsed(background=False).fields["background"] is False
