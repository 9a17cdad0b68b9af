"""Bad input gets the documented error, never a 500, and the process goes on."""

import gzip
import json
import sys

import pytest

from adapters.inbound.http.body import MAX_DEPTH, parse_object
from adapters.inbound.http.errors import InvalidJson
from tests.integration.http.stubs import BEARER, StubGateway, http_app

CHAT = "/v1/chat/completions"
MESSAGES = [{"role": "user", "content": "hi"}]


def nested(depth: int, opening: str = "[", closing: str = "]") -> bytes:
    """An object in which the innermost container stands `depth` deep."""
    inner = depth - 1
    return f'{{"a":{opening * inner}1{closing * inner}}}'.encode()


INVALID_JSON = {
    "empty": b"",
    "no JSON": b"model=gpt-4",
    "cut off": b'{"model": "gpt-4"',
    "a list": b"[1]",
    "a string": b'"x"',
    "null": b"null",
    "duplicate key": b'{"model":"a","model":"b"}',
    "duplicate key, escaped": b'{"model":"a","mod\\u0065l":"b"}',
    "duplicate key, nested": b'{"a":[{"b":1,"b":1}]}',
    "NaN": b'{"temperature": NaN}',
    "Infinity": b'{"temperature": -Infinity}',
    "overflow": b'{"temperature": 1e999}',
    "digits": b'{"n": ' + b"1" * 5_000 + b"}",
    "not UTF-8": b'{"a":"\xff"}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"a":1}',
    "raw control character": b'{"a":"\n"}',
    "trailing text": b'{"a":1} x',
    "depth 65": nested(65),
    "depth 10,000": nested(10_000),
    "depth 10,000, objects": nested(10_000, '{"a":', "}"),
    "depth 100,000, never closed": b"[" * 100_000,
}


@pytest.mark.parametrize("body", INVALID_JSON.values(), ids=INVALID_JSON.keys())
async def test_body_that_is_no_strict_json_object_is_refused_and_the_process_goes_on(body: bytes) -> None:
    client = http_app().test_client()

    answer = await client.post(CHAT, data=body, headers=BEARER)
    afterwards = await client.get("/health")

    assert answer.status_code == 400
    assert (await answer.get_json())["error"]["code"] == "invalid_json"
    assert afterwards.status_code == 200


async def test_compressed_body_is_told_what_to_do() -> None:
    answer = await http_app().test_client().post(CHAT, data=gzip.compress(b"{}"), headers=BEARER)

    error = (await answer.get_json())["error"]
    assert error["code"] == "invalid_json"
    assert "not compressed" in error["message"]


def test_depth_of_64_passes() -> None:
    assert parse_object(nested(MAX_DEPTH)) == json.loads(nested(MAX_DEPTH))


def test_brackets_inside_strings_are_no_depth() -> None:
    assert parse_object(b'{"a":"' + b"[{" * 1_000 + b'"}') == {"a": "[{" * 1_000}


def test_many_shallow_objects_pass() -> None:
    assert len(parse_object(b'{"a":[' + b",".join([b"{}"] * 1_000) + b"]}")["a"]) == 1_000


def test_large_integers_pass_unchanged() -> None:
    assert parse_object(b'{"seed": 18446744073709551616}') == {"seed": 2**64}


def test_recursion_limit_is_no_bound_on_what_is_refused() -> None:
    with pytest.raises(InvalidJson):
        parse_object(nested(sys.getrecursionlimit() * 3))


def chat(**fields: object) -> dict[str, object]:
    return {"model": "gpt-4", "messages": MESSAGES, **fields}


WRONG_FIELDS = [
    (CHAT, {"messages": MESSAGES}, "model"),
    (CHAT, chat(model=""), "model"),
    (CHAT, chat(model=7), "model"),
    (CHAT, chat(model=None), "model"),
    (CHAT, {"model": "gpt-4"}, "messages"),
    (CHAT, chat(messages=[]), "messages"),
    (CHAT, chat(messages="hi"), "messages"),
    (CHAT, chat(messages={"role": "user"}), "messages"),
    (CHAT, chat(messages=["hi"]), "messages[0]"),
    (CHAT, chat(messages=[{"content": "hi"}]), "messages[0].role"),
    (CHAT, chat(messages=[*MESSAGES, {"role": 1}]), "messages[1].role"),
    (CHAT, chat(messages=[{"role": "user", "content": 5}]), "messages[0].content"),
    (CHAT, chat(messages=[{"role": "user", "content": ["x"]}]), "messages[0].content[0]"),
    (CHAT, chat(messages=[{"role": "user", "content": [{"type": "text"}]}]), "messages[0].content[0].text"),
    (CHAT, chat(stream="yes"), "stream"),
    (CHAT, chat(stream=True, stream_options=[]), "stream_options"),
    (CHAT, chat(stream=True, stream_options={"include_usage": 1}), "stream_options.include_usage"),
    (CHAT, chat(n=0), "n"),
    (CHAT, chat(n=129), "n"),
    (CHAT, chat(n=True), "n"),
    (CHAT, chat(n=1.0), "n"),
    (CHAT, chat(max_tokens=-1), "max_tokens"),
    (CHAT, chat(max_tokens=0), "max_tokens"),
    (CHAT, chat(max_tokens=2**31), "max_tokens"),
    (CHAT, chat(max_tokens=10**4_000), "max_tokens"),
    (CHAT, chat(max_tokens="9"), "max_tokens"),
    (CHAT, chat(max_completion_tokens=0), "max_completion_tokens"),
    (CHAT, chat(temperature="hot"), "temperature"),
    (CHAT, chat(temperature=True), "temperature"),
    (CHAT, chat(stop=5), "stop"),
    (CHAT, chat(stop=["a", 1]), "stop[1]"),
    (CHAT, chat(tools={}), "tools"),
    (CHAT, chat(tools=[{}, "x"]), "tools[1]"),
    ("/v1/completions", {"model": "gpt-4"}, "prompt"),
    ("/v1/completions", {"model": "gpt-4", "prompt": []}, "prompt"),
    ("/v1/completions", {"model": "gpt-4", "prompt": ["a", 1]}, "prompt[1]"),
    ("/v1/completions", {"model": "gpt-4", "prompt": "a", "best_of": -1}, "best_of"),
    ("/v1/embeddings", {"model": "e"}, "input"),
    ("/v1/embeddings", {"model": "e", "input": {}}, "input"),
    ("/v1/embeddings", {"model": "e", "input": [[1], []]}, "input[1]"),
    ("/v1/embeddings", {"model": "e", "input": [True]}, "input[0]"),
]


@pytest.mark.parametrize(("path", "document", "param"), WRONG_FIELDS, ids=lambda value: str(value)[:60])
async def test_wrong_field_is_named(path: str, document: dict[str, object], param: str) -> None:
    gateway = StubGateway()

    answer = await http_app(gateway).test_client().post(path, json=document, headers=BEARER)

    error = (await answer.get_json())["error"]
    assert (400, "invalid_request", param) == (answer.status_code, error["code"], error["param"])
    assert "expected" in error["message"]
    assert "found" in error["message"]
    assert len(error["message"]) < 200
    assert gateway.asked == []


@pytest.mark.parametrize("value", ["0", "-5", "1.5", "soon", "", "9" * 30])
async def test_timeout_header_that_is_no_positive_integer_is_named(value: str) -> None:
    headers = {**BEARER, "x-request-timeout-ms": value}

    answer = await http_app().test_client().post(CHAT, json=chat(), headers=headers)

    assert answer.status_code == 400
    assert (await answer.get_json())["error"]["param"] == "x-request-timeout-ms"


@pytest.mark.parametrize("model", ["a\r\nx-evil: 1", "m\u00f6del", "\ud800", "a\x00b", "%s%n", "x" * 100_000])
async def test_hostile_model_name_reaches_no_header_and_causes_no_defect(model: str) -> None:
    body = json.dumps(chat(model=model)).encode()

    answer = await http_app().test_client().post(CHAT, data=body, headers=BEARER)

    assert answer.status_code == 200
    assert "x-evil" not in answer.headers
