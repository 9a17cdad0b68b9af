import struct
from base64 import b64decode
from typing import Any

import pytest

from adapters.outbound.providers.dialect import Asked
from adapters.outbound.providers.gemini.embeddings import (
    batch_fields,
    embedded,
    predict_fields,
    vertex_batch_fields,
)
from domain.chat import Usage
from domain.failure import FailureKind, ProviderFailed

OPTIONS: dict[str, Any] = {"dimensions": 2, "task_type": "RETRIEVAL_QUERY"}


def asked(*, drop_params: bool = False, **fields: object) -> Asked:
    return Asked({"input": ["a", "b"], **fields}, "m", drop_params=drop_params)


def test_each_text_is_a_request_of_a_batch() -> None:
    assert batch_fields(asked(**OPTIONS), "models/m", "gemini")["requests"][1] == {
        "model": "models/m",
        "content": {"parts": [{"text": "b"}]},
        "outputDimensionality": 2,
        "taskType": "RETRIEVAL_QUERY",
    }
    assert vertex_batch_fields(asked(input="a", **OPTIONS), "vertex")["requests"] == [
        {
            "content": {"role": "user", "parts": [{"text": "a"}]},
            "embedContentConfig": {"outputDimensionality": 2, "taskType": "RETRIEVAL_QUERY"},
        }
    ]


def test_each_text_is_an_instance_of_a_prediction() -> None:
    assert predict_fields(asked(), "vertex") == {"instances": [{"content": "a"}, {"content": "b"}]}
    assert predict_fields(asked(input="a", **OPTIONS), "vertex") == {
        "instances": [{"content": "a", "task_type": "RETRIEVAL_QUERY"}],
        "parameters": {"outputDimensionality": 2},
    }


@pytest.mark.parametrize(
    ("reply", "usage"),
    [
        (
            {"embeddings": [{"values": [0.5, 1]}], "usageMetadata": {"promptTokenCount": 3}},
            Usage(3, 0),
        ),
        ({"embeddings": [{"values": [0.5, 1]}]}, None),
        ({"embeddings": [{"embedding": {"values": [0.5, 1]}}]}, None),
        (
            {"predictions": [{"embeddings": {"values": [0.5, 1], "statistics": {"token_count": 4.0}}}]},
            Usage(4, 0),
        ),
    ],
)
def test_every_kind_of_reply_is_a_list_of_embeddings(reply: dict[str, object], usage: Usage | None) -> None:
    told, counted = embedded(reply, asked(), "mine")

    assert told["data"] == [{"object": "embedding", "index": 0, "embedding": [0.5, 1]}]
    assert (told["object"], told["model"], counted) == ("list", "mine", usage)
    assert told.get("usage") == (usage and {"prompt_tokens": usage.input_tokens, "total_tokens": usage.input_tokens})


def test_base64_is_made_here_as_openai_makes_it() -> None:
    told, _ = embedded({"embeddings": [{"values": [0.5, -2.25]}]}, asked(encoding_format="base64"), "mine")
    assert struct.unpack("<2f", b64decode(told["data"][0]["embedding"])) == (0.5, -2.25)


@pytest.mark.parametrize(
    "reply",
    [{}, {"embeddings": []}, {"embeddings": [{}]}, {"embeddings": [{"values": ["x"]}]}, {"predictions": ["no"]}],
)
def test_a_reply_without_numbers_is_broken(reply: dict[str, object]) -> None:
    with pytest.raises(ProviderFailed) as raised:
        embedded(reply, asked(), "mine")
    assert raised.value.failure.kind is FailureKind.BROKEN_REPLY


def test_a_number_beyond_a_float_is_broken_in_base64() -> None:
    with pytest.raises(ProviderFailed):
        embedded({"embeddings": [{"values": [1e300]}]}, asked(encoding_format="base64"), "mine")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"input": [1, 2]}, "input"),
        ({"input": [[1]]}, "input"),
        ({"encoding_format": "int8"}, "encoding_format"),
        ({"truncate": True}, "truncate"),
    ],
)
def test_what_cannot_be_embedded_is_refused_by_its_name(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ProviderFailed) as raised:
        batch_fields(asked(**fields), "models/m", "gemini")
    assert (raised.value.failure.kind, raised.value.failure.param) == (FailureKind.UNSUPPORTED, field)


def test_an_unknown_field_is_left_out_where_that_is_wished() -> None:
    assert batch_fields(asked(drop_params=True, truncate=True), "models/m", "gemini")["requests"]


@pytest.mark.parametrize("given", [None, [], ["a", 1], {}])
def test_an_input_that_is_no_text_is_the_clients_mistake(given: object) -> None:
    with pytest.raises(ProviderFailed) as raised:
        predict_fields(asked(input=given), "vertex")
    assert raised.value.failure.kind is FailureKind.REQUEST_REFUSED
