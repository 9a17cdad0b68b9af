import json

import pytest

from adapters.outbound.providers.presets import PRESETS
from adapters.outbound.providers.request_body import expected_choices, outgoing_body
from domain.failure import FailureKind, ProviderFailed

ASK = {"include_usage": True}


def out(body: bytes, preset: str = "openai", *, ask_usage: bool = False, drop_params: bool = False) -> bytes:
    fields = json.loads(body)
    return outgoing_body(body, fields, "theirs", preset=PRESETS[preset], ask_usage=ask_usage, drop_params=drop_params)


def test_a_body_passes_untouched_but_for_its_model() -> None:
    body = b'{"model": "mine", "messages": [], "x_unknown": {"deep": [1.50, 2e3]}, "stop": "a"}'
    assert out(body) == body.replace(b'"mine"', b'"theirs"')


@pytest.mark.parametrize("preset", ["openai", "mistral"])
def test_a_body_without_a_model_gets_one(preset: str) -> None:
    body = b' {"messages": [{"model": "x"}], "seed": 1}'
    sent = json.loads(out(body, preset, ask_usage=True))
    assert (sent["model"], sent["messages"], sent["stream_options"]) == ("theirs", [{"model": "x"}], ASK)


def test_usage_is_asked_for_where_the_client_says_nothing() -> None:
    assert out(b'{"model":"mine","stream":true}', ask_usage=True) == (
        b'{"stream_options":{"include_usage":true},"model":"theirs","stream":true}'
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ASK),
        (None, ASK),
        ({"include_usage": False}, ASK),
        ({"include_obfuscation": False}, {"include_obfuscation": False, **ASK}),
        ("junk", "junk"),
    ],
)
def test_usage_is_asked_for_beside_the_clients_other_options(options: object, expected: object) -> None:
    body = json.dumps({"model": "mine", "stream_options": options, "a": 1}).encode()
    assert json.loads(out(body, ask_usage=True)) == {"model": "theirs", "stream_options": expected, "a": 1}


def test_fields_are_renamed_where_the_provider_has_another_name() -> None:
    body = b'{"model":"mine","seed":1,"max_completion_tokens":9,"stream_options":{},"big":9007199254740993}'
    assert json.loads(out(body, "mistral")) == {
        "model": "theirs",
        "random_seed": 1,
        "max_tokens": 9,
        "big": 9007199254740993,
    }


def test_a_field_that_the_provider_cannot_honour_is_an_error_naming_it() -> None:
    with pytest.raises(ProviderFailed) as failed:
        out(b'{"model":"mine","logit_bias":{"1":2}}', "groq")
    assert failed.value.failure.kind is FailureKind.UNSUPPORTED
    assert failed.value.failure.param == "logit_bias"
    assert "groq" in failed.value.failure.message


def test_a_field_that_the_provider_cannot_honour_is_dropped_where_wished() -> None:
    assert out(b'{"model":"mine","logit_bias":{"1":2}}', "groq", drop_params=True) == b'{"model":"theirs"}'


def test_a_field_that_asks_for_nothing_is_dropped_in_silence() -> None:
    assert out(b'{"model":"mine","logprobs":false,"top_logprobs":null}', "groq") == b'{"model":"theirs"}'


def test_text_survives_a_rewritten_body() -> None:
    body = json.dumps({"model": "mine", "seed": 1, "text": "€ \ud83d"}).encode()
    assert json.loads(out(body, "mistral"))["text"] == "€ \ud83d"


def test_a_number_out_of_range_is_the_clients_error_where_the_body_is_rewritten() -> None:
    with pytest.raises(ProviderFailed) as failed:
        out(b'{"model":"mine","seed":1,"temperature":1e999}', "mistral")
    assert failed.value.failure.kind is FailureKind.REQUEST_REFUSED
    assert failed.value.failure.status == 400


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({}, 1),
        ({"n": None}, 1),
        ({"n": 3}, 3),
        ({"n": 2, "prompt": "a"}, 2),
        ({"n": 2, "prompt": ["a", "b"]}, 4),
        ({"prompt": [[1, 2], [3], [4]]}, 3),
        ({"prompt": [1, 2, 3]}, 1),
        ({"prompt": []}, 1),
    ],
)
def test_a_reply_has_as_many_choices_as_were_asked_for(fields: dict[str, object], count: int) -> None:
    assert expected_choices(fields) == count
