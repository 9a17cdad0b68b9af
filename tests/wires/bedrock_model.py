"""What botocore knows of Bedrock: its service model, its validator, serialiser and parsers, its signatures."""

import base64
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote

from botocore.auth import SigV4Auth  # type: ignore[import-untyped]
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
from botocore.credentials import ReadOnlyCredentials  # type: ignore[import-untyped]
from botocore.eventstream import EventStreamBuffer  # type: ignore[import-untyped]
from botocore.model import OperationModel, Shape  # type: ignore[import-untyped]
from botocore.parsers import EventStreamJSONParser, create_parser  # type: ignore[import-untyped]
from botocore.serialize import create_serializer  # type: ignore[import-untyped]
from botocore.session import Session  # type: ignore[import-untyped]
from botocore.validate import ParamValidator  # type: ignore[import-untyped]

from tests.wires.wire import WireRequest


@cache
def operation(name: str) -> Any:
    """Its model: `Converse`, `ConverseStream`, `InvokeModel` …"""
    model: OperationModel = Session().get_service_model("bedrock-runtime").operation_model(name)
    return model


def asked_of(request: WireRequest, name: str) -> dict[str, Any]:
    """The parameters of a request of that operation, which must be just what AWS's own SDK would send for them."""
    model = operation(name)
    path = request.path[request.path.index("/model/") :]
    model_id = unquote(path.split("/")[2])
    parameters = {**_blobs_decoded(json.loads(request.body), model.input_shape), "modelId": model_id}
    wrong = ParamValidator().validate(parameters, model.input_shape)
    assert not wrong.has_errors(), wrong.generate_report()
    official = create_serializer("rest-json").serialize_to_request(parameters, model)
    assert official["url_path"] == path, path
    assert json.loads(official["body"]) == json.loads(request.body)
    for name_of_member, value in _strings(parameters, model.input_shape):
        assert value[0] in value[1], f"{name_of_member}: {value[0]!r} is none of {value[1]}"
    return parameters


def checked_reply(document: Mapping[str, Any]) -> bytes:
    """A reply of Converse, as the SDK's parser understands it: nothing of it may be unknown."""
    body = json.dumps(document, ensure_ascii=False).encode()
    shape = operation("Converse").output_shape
    parsed = create_parser("rest-json").parse({"body": body, "headers": {}, "status_code": 200}, shape)
    del parsed["ResponseMetadata"]
    assert _blobs_encoded(parsed) == document, (parsed, document)
    return body


def parsed_events(stream: bytes) -> list[dict[str, Any]]:
    """The events of a stream, as the SDK's parser understands them."""
    buffer = EventStreamBuffer()
    buffer.add_data(stream)
    shape = operation("ConverseStream").get_event_stream_output()
    parser = EventStreamJSONParser()
    return [parser.parse(message.to_response_dict(), shape) for message in buffer]


def assert_signed(request: WireRequest, secret: ReadOnlyCredentials, region: str) -> None:
    """The signature is the one that botocore computes over what arrived."""
    headers = request.headers
    scheme, _, fields = headers["authorization"].partition(" ")
    told = dict(field.strip().split("=", 1) for field in fields.split(","))
    assert scheme == "AWS4-HMAC-SHA256"
    signed = told["SignedHeaders"].split(";")
    assert {"host", "x-amz-date", "content-type"} <= set(signed)
    assert {name for name in headers if name.startswith("x-amz-")} <= set(signed), "each of AWS's headers is signed"
    query = f"?{request.query}" if request.query else ""
    url = f"http://{headers['host']}{request.path}{query}"
    again = AWSRequest(request.method, url, {name: headers[name] for name in signed}, request.body)
    again.context["timestamp"] = headers["x-amz-date"]
    auth = SigV4Auth(secret, "bedrock", region)
    assert told["Credential"] == auth.scope(again)
    to_sign = auth.string_to_sign(again, auth.canonical_request(again))
    assert told["Signature"] == auth.signature(to_sign, again)
    assert headers.get("x-amz-security-token") == secret.token


def _blobs_decoded(value: Any, shape: Shape) -> Any:
    match shape.type_name:
        case "blob":
            return base64.b64decode(value, validate=True)
        case "structure" if not shape.is_document_type:
            return {
                name: _blobs_decoded(item, shape.members[name]) if name in shape.members else item
                for name, item in value.items()
            }
        case "list":
            return [_blobs_decoded(item, shape.member) for item in value]
        case _:
            return value


def _blobs_encoded(value: Any) -> Any:
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case dict():
            return {name: _blobs_encoded(item) for name, item in value.items()}
        case list():
            return [_blobs_encoded(item) for item in value]
        case _:
            return value


def _strings(value: Any, shape: Shape) -> Iterator[tuple[str, tuple[str, list[str]]]]:
    """Every string that must be one of some, which the validator does not look at."""
    match shape.type_name:
        case "structure" if not shape.is_document_type:
            for name, item in value.items():
                yield from _strings(item, shape.members[name])
        case "list":
            for item in value:
                yield from _strings(item, shape.member)
        case "string" if shape.enum:
            yield shape.name, (value, shape.enum)
