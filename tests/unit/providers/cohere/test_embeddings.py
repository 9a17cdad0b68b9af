from typing import Any

import pytest
from cohere.types import EmbedByTypeResponse
from cohere.v2.client import V2Client
from openai.types import CreateEmbeddingResponse

from adapters.outbound.providers.cohere.embeddings import embed_fields, embedded
from adapters.outbound.providers.dialect import Asked
from domain.chat import Usage
from domain.failure import FailureKind, ProviderFailed
from tests.unit.providers.cohere.asking import HI
from tests.wires.cohere import judge_request


def asked(*, drop_params: bool = False, **fields: object) -> Asked:
    return Asked({"model": "mine", "input": "Hi"} | fields, "embed-v4.0", drop_params=drop_params)


def sent(*, drop_params: bool = False, **fields: object) -> dict[str, Any]:
    body = embed_fields(asked(drop_params=drop_params, **fields))
    judge_request(body, V2Client.embed)
    return body


def reply(**more: object) -> dict[str, Any]:
    document = {
        "id": "e1",
        "embeddings": {"float": [[0.5, 1.0], [0.25, 2.0]]},
        "texts": ["a", "b"],
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 4}},
        "response_type": "embeddings_by_type",
    } | more
    EmbedByTypeResponse.model_validate(document)
    return document


def test_a_text_is_a_document_that_is_not_cut() -> None:
    assert sent() == {
        "model": "embed-v4.0",
        "texts": ["Hi"],
        "input_type": "search_document",
        "embedding_types": ["float"],
        "truncate": "NONE",
    }


def test_texts_and_options_have_coheres_names() -> None:
    body = sent(
        input=["a", "b"],
        dimensions=256,
        encoding_format="base64",
        input_type="search_query",
        truncate="END",
        user="someone",
    )

    assert body == {
        "model": "embed-v4.0",
        "texts": ["a", "b"],
        "input_type": "search_query",
        "embedding_types": ["base64"],
        "truncate": "END",
        "output_dimension": 256,
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("input", [1, 2, 3]),
        ("input", [[1, 2], [3]]),
        ("input", ["a", 1]),
        ("input", {}),
        ("encoding_format", "int8"),
        ("encoding_format", ["float"]),
        ("unknown", 1),
    ],
)
def test_what_cohere_can_not_embed_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(ProviderFailed) as raised:
        sent(**{field: value})

    assert (raised.value.failure.kind, raised.value.failure.param) == (FailureKind.UNSUPPORTED, field)


def test_unknown_fields_can_be_dropped() -> None:
    assert sent(drop_params=True, unknown=HI) == sent()


def test_the_reply_is_openais() -> None:
    document, usage = embedded(reply(), asked(), "mine")

    CreateEmbeddingResponse.model_validate(document)
    assert document == {
        "object": "list",
        "model": "mine",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [0.5, 1.0]},
            {"object": "embedding", "index": 1, "embedding": [0.25, 2.0]},
        ],
        "usage": {"prompt_tokens": 4, "total_tokens": 4},
    }
    assert usage == Usage(4, 0)


def test_bytes_are_passed_on() -> None:
    document, usage = embedded(
        reply(embeddings={"base64": ["AAAAPw=="]}, meta=None), asked(encoding_format="base64"), "mine"
    )

    assert document["data"] == [{"object": "embedding", "index": 0, "embedding": "AAAAPw=="}]
    assert (usage, "usage" in document) == (None, False)


@pytest.mark.parametrize("embeddings", [None, [[0.5]], {"float": None}, {"int8": [[1]]}])
def test_a_reply_without_what_was_asked_for_is_broken(embeddings: object) -> None:
    with pytest.raises(ProviderFailed) as raised:
        embedded({"embeddings": embeddings}, asked(), "mine")

    assert raised.value.failure.kind is FailureKind.BROKEN_REPLY
