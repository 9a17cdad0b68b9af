import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.failure import FailureKind
from tests.unit.providers.bedrock.asking import CLAUDE, LLAMA, NOVA, PNG, TOOL, USER, asked, refusal, written

URL = f"data:image/png;base64,{PNG}"
CALLS = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "look", "arguments": '{"at": [1, {"ü": null}]}'}},
        {"id": "b", "type": "function", "function": {"name": "look", "arguments": ""}},
    ],
}


def messages_of(*messages: dict[str, Any], model: str = CLAUDE) -> list[Any]:
    turns: list[Any] = written(asked(model, messages=list(messages), tools=[TOOL]))["messages"]
    return turns


def test_system_and_developer_prompts_stand_apart_in_their_order() -> None:
    body = written(
        asked(
            messages=[
                {"role": "system", "content": "Be brief."},
                USER,
                {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            ]
        )
    )

    assert body["system"] == [{"text": "Be brief."}, {"text": "Be kind."}]
    assert body["messages"] == [{"role": "user", "content": [{"text": "Hi"}]}]


def test_turns_of_one_side_that_follow_each_other_are_one() -> None:
    turns = messages_of(USER, {"role": "user", "content": "there"}, {"role": "assistant", "content": "Hi"}, USER)

    assert [(turn["role"], len(turn["content"])) for turn in turns] == [("user", 2), ("assistant", 1), ("user", 1)]


def test_blank_texts_are_left_out_and_so_is_a_turn_of_nothing_else() -> None:
    turns = messages_of(USER, {"role": "assistant", "content": " \n"}, {"role": "user", "content": ""})

    assert turns == [{"role": "user", "content": [{"text": "Hi"}]}]


def test_parallel_tool_calls_and_their_results_are_one_turn_each() -> None:
    results: list[dict[str, Any]] = [
        {"role": "tool", "tool_call_id": "a", "content": '{"seen": 1}'},
        {
            "role": "tool",
            "tool_call_id": "b",
            "content": [{"type": "text", "text": "this"}, {"type": "image_url", "image_url": {"url": URL}}],
        },
    ]
    turns = messages_of(USER, CALLS, *results, {"role": "user", "content": "So?"})

    image = {"image": {"format": "png", "source": {"bytes": PNG}}}
    assert turns[1:] == [
        {
            "role": "assistant",
            "content": [
                {"toolUse": {"toolUseId": "a", "name": "look", "input": {"at": [1, {"ü": None}]}}},
                {"toolUse": {"toolUseId": "b", "name": "look", "input": {}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "a", "content": [{"text": '{"seen": 1}'}]}},
                {"toolResult": {"toolUseId": "b", "content": [{"text": "this"}, image]}},
                {"text": "So?"},
            ],
        },
    ]


@pytest.mark.parametrize("arguments", ["[1]", "nonsense", "1"])
def test_arguments_that_are_no_object_are_the_clients_fault(arguments: str) -> None:
    call = {"id": "a", "type": "function", "function": {"name": "look", "arguments": arguments}}
    failure = refusal(asked(messages=[USER, {"role": "assistant", "tool_calls": [call]}]))

    assert (failure.kind, failure.param, failure.unsent) == (FailureKind.REQUEST_REFUSED, "messages", True)


@pytest.mark.parametrize(
    ("media_type", "form"),
    [("image/png", "png"), ("image/jpeg", "jpeg"), ("IMAGE/JPG", "jpeg"), ("image/webp", "webp")],
)
def test_images_go_as_bytes(media_type: str, form: str) -> None:
    part = {"type": "image_url", "image_url": {"url": f"data:{media_type};base64,{PNG}", "detail": "low"}}

    assert messages_of({"role": "user", "content": [part]})[0]["content"] == [
        {"image": {"format": form, "source": {"bytes": PNG}}}
    ]


@pytest.mark.parametrize(
    "url", ["https://x.example/a.png", "s3://bucket/a.png", f"data:image/tiff;base64,{PNG}", "data:image/png,abc"]
)
@pytest.mark.parametrize("drop_params", [False, True])
def test_images_that_would_have_to_be_fetched_or_are_not_known_are_refused(url: str, drop_params: bool) -> None:
    part = {"type": "image_url", "image_url": {"url": url}}
    failure = refusal(asked(messages=[{"role": "user", "content": [part]}], drop_params=drop_params))

    assert (failure.kind, failure.param) == (FailureKind.UNSUPPORTED, "messages")


def test_documents_go_as_bytes_under_names_that_differ() -> None:
    part = {
        "type": "file",
        "file": {"file_data": f"data:application/pdf;base64,{PNG}", "filename": "../My  report_1.pdf"},
    }
    text = {"type": "file", "file": {"file_data": f"data:text/plain;charset=utf-8;base64,{PNG}"}}
    content = messages_of({"role": "user", "content": [part, part, text, {"type": "text", "text": "Sum up."}]})[0]

    documents = [block["document"] for block in content["content"] if "document" in block]
    assert [(one["format"], one["name"]) for one in documents] == [
        ("pdf", "My report 1"),
        ("pdf", "My report 1 2"),
        ("txt", "document"),
    ]
    assert documents[0]["source"] == {"bytes": PNG}


def test_sound_goes_as_bytes() -> None:
    part = {"type": "input_audio", "input_audio": {"data": PNG, "format": "mp3"}}

    assert messages_of({"role": "user", "content": [part]})[0]["content"] == [
        {"audio": {"format": "mp3", "source": {"bytes": PNG}}}
    ]


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": [{"type": "file", "file": {"file_id": "f-1"}}]},
        {"role": "user", "content": [{"type": "video", "video": "x"}]},
        {"role": "system", "content": [{"type": "image_url", "image_url": {"url": URL}}]},
        {"role": "function", "content": "x"},
        {
            "role": "tool",
            "tool_call_id": "a",
            "content": [{"type": "input_audio", "input_audio": {"data": PNG, "format": "wav"}}],
        },
    ],
)
def test_messages_that_cannot_be_said_are_refused_by_name(message: dict[str, Any]) -> None:
    failure = refusal(asked(messages=[message]))

    assert (failure.kind, failure.param) == (FailureKind.UNSUPPORTED, "messages")


def test_sampling_stop_and_maximum_are_the_inference_configuration() -> None:
    body = written(asked(LLAMA, temperature=0.5, top_p=0.25, stop="END", max_tokens=16))

    assert body["inferenceConfig"] == {"temperature": 0.5, "topP": 0.25, "stopSequences": ["END"], "maxTokens": 16}
    assert "additionalModelResponseFieldPaths" not in body


def test_claude_is_asked_which_stop_sequence_it_was() -> None:
    body = written(asked(stop=["a", "b"]))

    assert body["inferenceConfig"]["stopSequences"] == ["a", "b"]
    assert body["additionalModelResponseFieldPaths"] == ["/stop_sequence"]


def test_temperatures_above_one_are_refused_or_lowered() -> None:
    assert refusal(asked(temperature=1.5)).param == "temperature"
    assert written(asked(temperature=1.5, drop_params=True))["inferenceConfig"] == {"temperature": 1}


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", {"auto": {}}),
        ("required", {"any": {}}),
        ({"type": "function", "function": {"name": "look"}}, {"tool": {"name": "look"}}),
    ],
)
def test_tools_and_the_choice_among_them_are_the_tool_configuration(choice: Any, expected: Any) -> None:
    strict = {"type": "function", "function": {**TOOL["function"], "strict": True}}
    config = written(asked(tools=[TOOL, strict], tool_choice=choice, parallel_tool_calls=True))["toolConfig"]

    spec = {"name": "look", "description": "Looks.", "inputSchema": {"json": TOOL["function"]["parameters"]}}
    assert config == {"tools": [{"toolSpec": spec}, {"toolSpec": {**spec, "strict": True}}], "toolChoice": expected}


def test_choice_of_no_tool_is_refused_or_comes_without_tools_where_none_was_called() -> None:
    result = {"role": "tool", "tool_call_id": "a", "content": "x"}
    fields: dict[str, Any] = {"tools": [TOOL], "tool_choice": "none"}

    assert refusal(asked(**fields)).param == "tool_choice"
    assert "toolConfig" not in written(asked(**fields, drop_params=True))
    dropped = written(asked(**fields, messages=[USER, CALLS, result], drop_params=True))
    assert dropped["toolConfig"]["toolChoice"] == {"auto": {}}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("response_format", {"type": "json_object"}),
        ("tool_choice", "sometimes"),
        ("tools", [{"type": "custom", "custom": {"name": "x"}}]),
    ],
)
def test_fields_that_cannot_be_honoured_are_refused_by_name(field: str, value: Any) -> None:
    failure = refusal(asked(**{"tools": [TOOL], field: value}))

    assert (failure.kind, failure.param) == (FailureKind.UNSUPPORTED, field)


def test_json_schema_is_the_text_format() -> None:
    schema = {"type": "object", "properties": {"größe": {"type": "number"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "size", "schema": schema, "strict": True}}
    text_format = written(asked(response_format=wanted))["outputConfig"]["textFormat"]

    definition = text_format["structure"]["jsonSchema"]
    assert (text_format["type"], definition["name"], json.loads(definition["schema"])) == (
        "json_schema",
        "size",
        schema,
    )


@pytest.mark.parametrize(
    ("model", "expected"),
    [(CLAUDE, {"top_k": 5}), (NOVA, {"inferenceConfig": {"topK": 5}}), ("cohere.command-r-v1:0", {"k": 5})],
)
def test_top_k_stands_where_the_models_maker_wants_it(model: str, expected: Any) -> None:
    assert written(asked(model, top_k=5))["additionalModelRequestFields"] == expected


def test_cache_points_follow_what_is_marked() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    hour = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    fields: dict[str, Any] = {
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "S", **hour}]},
            {"role": "user", "content": [{"type": "text", "text": "A", **mark}, {"type": "text", "text": "B"}]},
            CALLS,
            {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "R", **mark}]},
        ],
        "tools": [{**TOOL, **mark}],
    }
    point = {"cachePoint": {"type": "default"}}
    body = written(asked(**fields))

    assert body["system"] == [{"text": "S"}, {"cachePoint": {"type": "default", "ttl": "1h"}}]
    assert body["messages"][0]["content"] == [{"text": "A"}, point, {"text": "B"}]
    assert body["messages"][2]["content"][1:] == [point]
    assert body["toolConfig"]["tools"][1:] == [point]
    assert "cachePoint" not in json.dumps(written(asked(LLAMA, **fields)))
    assert written(asked(NOVA, **fields))["toolConfig"]["tools"][1:] == []


def test_thoughts_go_back_to_the_model_that_signed_them() -> None:
    blocks = [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "thinking", "thinking": "unsigned", "signature": ""},
        {"type": "redacted_thinking", "data": PNG},
    ]
    message = {"role": "assistant", "content": "So.", "thinking_blocks": blocks}
    signed = {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}}
    redacted = {"reasoningContent": {"redactedContent": PNG}}

    assert messages_of(USER, message)[1]["content"] == [signed, redacted, {"text": "So."}]
    assert messages_of(USER, message, model=LLAMA)[1]["content"] == [{"text": "So."}]
    assert len(messages_of(USER, message, model=NOVA)[1]["content"]) == 4


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(str.strip)
TURNS = st.lists(st.tuples(st.sampled_from(["user", "assistant", "system"]), TEXTS), min_size=1, max_size=8)


@given(TURNS)
def test_every_text_is_said_once_by_its_side_and_in_order(turns: list[tuple[str, str]]) -> None:
    body = written(asked(messages=[USER, *({"role": role, "content": text} for role, text in turns)]))

    sides = [turn["role"] for turn in body["messages"]]
    assert all(side != following for side, following in pairwise(sides))
    for side in ("user", "assistant"):
        said = [block["text"] for turn in body["messages"] if turn["role"] == side for block in turn["content"]]
        assert said == [text for role, text in [("user", "Hi"), *turns] if role == side]
    assert [block["text"] for block in body.get("system", ())] == [text for role, text in turns if role == "system"]
