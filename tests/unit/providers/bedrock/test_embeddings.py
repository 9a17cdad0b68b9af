import base64
import struct
from typing import Any

import pytest

from adapters.outbound.providers.bedrock.embeddings import embedded, invoke_fields
from adapters.outbound.providers.dialect import Asked
from domain.chat import Usage
from domain.failure import FailureKind, ProviderFailed

TITAN = "amazon.titan-embed-text-v2:0"
COHERE = "cohere.embed-english-v3"


def asked(model: str, *, drop_params: bool = False, **fields: Any) -> Asked:
    return Asked({"model": "mine", "input": "Hi", **fields}, model, drop_params=drop_params)


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (asked(TITAN), {"inputText": "Hi"}),
        (asked(TITAN, input=["Hi"], dimensions=256), {"inputText": "Hi", "dimensions": 256}),
        (
            asked(COHERE, input=["a", "b"]),
            {"texts": ["a", "b"], "input_type": "search_document", "embedding_types": ["float"]},
        ),
        (
            asked("eu.cohere.embed-v4:0", dimensions=512, input_type="search_query"),
            {"texts": ["Hi"], "input_type": "search_query", "embedding_types": ["float"], "output_dimension": 512},
        ),
        (asked("amazon.titan-embed-text-v1", dimensions=5, seed=1, drop_params=True), {"inputText": "Hi"}),
    ],
)
def test_request_is_what_the_model_wants(request_: Asked, body: dict[str, Any]) -> None:
    assert invoke_fields(request_) == body


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (asked(TITAN, input=["a", "b"]), "input"),
        (asked(TITAN, input=[1, 2]), "input"),
        (asked(TITAN, input=[]), "input"),
        (asked(COHERE, dimensions=5), "dimensions"),
        (asked("amazon.titan-embed-text-v1", dimensions=5), "dimensions"),
        (asked(TITAN, input_type="x"), "input_type"),
        (asked(TITAN, encoding_format="hex"), "encoding_format"),
        (asked(COHERE, seed=1), "seed"),
        (asked("anthropic.claude-v2"), "model"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(request_: Asked, field: str) -> None:
    with pytest.raises(ProviderFailed) as raised:
        invoke_fields(request_)

    assert (raised.value.failure.kind, raised.value.failure.param) == (FailureKind.UNSUPPORTED, field)


def test_reply_of_titan_has_its_usage() -> None:
    told = {"embedding": [0.5, -1], "inputTextTokenCount": 3, "embeddingsByType": {"float": [0.5, -1]}}
    document, usage = embedded(told, asked(TITAN), "mine")

    assert document == {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -1]}],
        "model": "mine",
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    }
    assert usage == Usage(3, 0)


@pytest.mark.parametrize("told", [[[1.0], [2.0]], {"float": [[1.0], [2.0]]}])
def test_reply_of_cohere_keeps_its_order(told: object) -> None:
    document, usage = embedded({"embeddings": told, "id": "x"}, asked(COHERE), "mine")

    assert [(one["index"], one["embedding"]) for one in document["data"]] == [(0, [1.0]), (1, [2.0])]  # type: ignore[attr-defined]
    assert usage is None


def test_base64_is_of_little_endian_floats() -> None:
    document, _ = embedded({"embedding": [0.5, -2]}, asked(TITAN, encoding_format="base64"), "mine")

    data: Any = document["data"]
    assert struct.unpack("<2f", base64.b64decode(data[0]["embedding"])) == (0.5, -2.0)


@pytest.mark.parametrize("told", [{}, {"embedding": "x"}, {"embeddings": {"int8": []}}, {"embeddings": [["x"]]}])
def test_reply_without_numbers_is_broken(told: dict[str, Any]) -> None:
    with pytest.raises(ProviderFailed) as raised:
        embedded(told, asked(TITAN, encoding_format="base64"), "mine")

    assert raised.value.failure.kind is FailureKind.BROKEN_REPLY
