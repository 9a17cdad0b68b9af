import base64
import json
from typing import Any

import pytest

from domain.failure import FailureKind
from tests.unit.providers.anthropic.asking import HI, body, refusal, turns

MARK = {"type": "ephemeral", "ttl": "1h"}
PIXEL = "data:image/png;base64,iVBORw0KGgo="
THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
HIDDEN = {"type": "redacted_thinking", "data": "ZGF0YQ=="}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


def call(id_: str, name: str = "look", arguments: object = "{}") -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def calling(*calls: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(calls), **more}


def result(id_: str, content: object) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": content}


def block(*parts: dict[str, Any]) -> dict[str, Any]:
    (turn,) = turns(user(*parts))
    made: dict[str, Any] = turn["content"][-1]
    return made


def test_system_prompts_stand_apart_in_their_order() -> None:
    messages = [
        {"role": "system", "content": "One."},
        HI,
        {"role": "developer", "content": [{**text("Two."), "cache_control": MARK}]},
    ]
    sent = body(messages=messages)
    assert sent["system"] == [text("One."), {**text("Two."), "cache_control": MARK}]
    assert sent["messages"] == [{"role": "user", "content": [text("Hi")]}]


def test_what_one_side_says_in_a_row_is_one_turn() -> None:
    made = turns(HI, HI, {"role": "assistant", "content": "Yes"}, {"role": "assistant", "content": "?"}, HI)
    assert [(turn["role"], len(turn["content"])) for turn in made] == [("user", 2), ("assistant", 2), ("user", 1)]


@pytest.mark.parametrize("silence", ["", "  \n", None, [], [{"type": "text", "text": ""}]])
def test_what_says_nothing_makes_no_turn(silence: object) -> None:
    assert turns(HI, {"role": "assistant", "content": silence}, HI) == [
        {"role": "user", "content": [text("Hi"), text("Hi")]}
    ]


def test_results_of_parallel_calls_are_one_turn() -> None:
    made = turns(
        HI,
        calling(call("a", arguments='{"x": [1, "ü"]}'), call("b"), content="I look."),
        result("a", "24"),
        result("b", [text("no"), text("on")]),
        HI,
    )
    assert made[1]["content"] == [
        text("I look."),
        {"type": "tool_use", "id": "a", "name": "look", "input": {"x": [1, "ü"]}},
        {"type": "tool_use", "id": "b", "name": "look", "input": {}},
    ]
    assert made[2]["content"] == [
        {"type": "tool_result", "tool_use_id": "a", "content": [text("24")]},
        {"type": "tool_result", "tool_use_id": "b", "content": [text("no"), text("on")]},
        text("Hi"),
    ]


def test_a_result_may_show_pictures_or_say_nothing() -> None:
    made = turns(HI, calling(call("a"), call("b")), result("a", [{"type": "image_url", "image_url": {"url": PIXEL}}]))
    (shown,) = made[2]["content"][0]["content"]
    assert shown["source"] == {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    made = turns(HI, calling(call("a")), result("a", ""))
    assert made[2]["content"] == [{"type": "tool_result", "tool_use_id": "a"}]


def test_ids_of_other_providers_are_made_fit_on_both_sides() -> None:
    made = turns(HI, calling(call("functions.look:0")), result("functions.look:0", "x"))
    assert made[1]["content"][0]["id"] == made[2]["content"][0]["tool_use_id"] == "functions_look_0"


@pytest.mark.parametrize("arguments", ["[]", "nonsense", '"text"', 7, "[" * 100_000])
def test_arguments_that_are_no_object_are_refused(arguments: object) -> None:
    failure = refusal(messages=[HI, calling(call("a", arguments=arguments))])
    assert (failure.kind, failure.param) == (FailureKind.REQUEST_REFUSED, "messages[].tool_calls[].function.arguments")
    assert not failure.was_sent


@pytest.mark.parametrize("arguments", ["", None, "{}"])
def test_no_arguments_are_an_empty_object(arguments: object) -> None:
    made = turns(HI, calling(call("a", arguments=arguments)))
    assert made[1]["content"][0]["input"] == {}


def test_signed_thoughts_go_back_before_all_else() -> None:
    numbered = [{"index": 0, **THOUGHT}, {"index": 1, **HIDDEN}]
    made = turns(HI, calling(call("a"), content="I look.", thinking_blocks=numbered, reasoning_content="Hm."))
    assert made[1]["content"][:3] == [THOUGHT, HIDDEN, text("I look.")]


def test_thoughts_that_nobody_signed_can_not_go_back() -> None:
    thoughts: list[object] = [{"type": "thinking", "thinking": "Hm."}, {**THOUGHT, "signature": ""}, "x"]
    made = turns(HI, {"role": "assistant", "content": "Yes", "thinking_blocks": thoughts, "reasoning_content": "Hm."})
    assert made[1]["content"] == [text("Yes")]


def test_refusals_are_texts() -> None:
    made = turns(HI, {"role": "assistant", "content": None, "refusal": "No."}, HI)
    assert made[1]["content"] == [text("No.")]
    made = turns(HI, {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}, HI)
    assert made[1]["content"] == [text("No.")]


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://pictures.example/cat.png", {"type": "url", "url": "https://pictures.example/cat.png"}),
        (PIXEL, {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}),
        ("DATA:IMAGE/JPEG;name=a;BASE64,AAAA", {"type": "base64", "media_type": "image/jpeg", "data": "AAAA"}),
    ],
)
def test_a_picture_is_fetched_by_the_provider_or_sent_along(url: str, source: dict[str, Any]) -> None:
    assert block(text("See"), {"type": "image_url", "image_url": {"url": url, "detail": "high"}}) == {
        "type": "image",
        "source": source,
    }


def test_a_picture_is_not_looked_at_in_passing() -> None:
    picture = {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}}
    assert refusal(messages=[user(picture)]).param == "messages[].content[].image_url.detail"
    assert body(messages=[user(picture)], drop_params=True)["messages"][0]["content"][0]["type"] == "image"


def test_a_document_is_a_pdf_or_a_text() -> None:
    pdf = {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0=", "filename": "a.pdf"}}
    assert block(pdf) == {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
        "title": "a.pdf",
    }
    plain = base64.b64encode("Grüezi".encode()).decode()
    assert block({"type": "file", "file": {"file_data": f"data:text/plain;base64,{plain}"}})["source"] == {
        "type": "text",
        "media_type": "text/plain",
        "data": "Grüezi",
    }
    assert block({"type": "file", "file": {"file_data": "https://papers.example/a.pdf"}})["source"] == {
        "type": "url",
        "url": "https://papers.example/a.pdf",
    }


@pytest.mark.parametrize(
    ("part", "param"),
    [
        ({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}, "messages[].content[].type"),
        ({"type": "video"}, "messages[].content[].type"),
        ({"type": "file", "file": {"file_id": "file-1"}}, "messages[].content[].file.file_id"),
        ({"type": "file", "file": {"file_data": "data:text/csv;base64,AA=="}}, "messages[].content[].file.file_data"),
        ({"type": "file", "file": {"file_data": "data:text/plain;base64,!"}}, "messages[].content[].file.file_data"),
        ({"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,AA=="}}, "messages[].content[].image_"),
        ({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}, "messages[].content[].image_url.url"),
        ({"type": "image_url", "image_url": {"url": "data:image/png,raw"}}, "messages[].content[].image_url.url"),
        ({"type": "image_url", "image_url": "https://x.example"}, "messages[].content[].type"),
    ],
)
@pytest.mark.parametrize("drop_params", [False, True])
def test_content_that_can_not_be_said_is_refused_and_never_dropped(
    part: dict[str, Any], param: str, *, drop_params: bool
) -> None:
    failure = refusal(messages=[user(text("See"), part)], drop_params=drop_params)
    assert (failure.param or "").startswith(param)
    assert not failure.was_sent


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "function", "name": "f", "content": "x"}, "messages[].role 'function'"),
        ({"role": "assistant", "audio": {"id": "a"}}, "messages[].audio"),
        ({"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}, "messages[].function_call"),
        ({"role": "system", "content": [{"type": "image_url", "image_url": {"url": PIXEL}}]}, "messages[].content[]"),
        (calling({"id": "a", "type": "custom", "custom": {}}), "messages[].tool_calls[].type"),
        (calling({**call("a"), "id": None}), "messages[].tool_calls[].id"),
        ({"role": "tool", "content": "x"}, "messages[].tool_call_id"),
    ],
)
def test_messages_that_can_not_be_said_are_refused_by_name(message: dict[str, Any], param: str) -> None:
    assert (refusal(messages=[HI, message]).param or "").startswith(param)


def test_names_of_speakers_are_refused_or_dropped() -> None:
    assert refusal(messages=[{**HI, "name": "Ann"}]).param == "messages[].name"
    assert body(messages=[{**HI, "name": "Ann"}], drop_params=True)["messages"] == turns(HI)


def test_marks_for_the_cache_stay_where_they_were() -> None:
    made = turns(
        user({**text("See"), "cache_control": MARK}, {"type": "image_url", "image_url": {"url": PIXEL}}),
        calling(call("a"), call("b"), cache_control=MARK),
        {**result("a", [{**text("x"), "cache_control": MARK}]), "cache_control": MARK},
        {"role": "assistant", "content": None, "thinking_blocks": [THOUGHT], "cache_control": MARK},
    )
    marked = [
        [json.dumps(each.get("cache_control")) for each in turn["content"]]
        for turn in ({**made[0]}, made[1], made[2], made[3])
    ]
    mark = json.dumps(MARK)
    assert marked == [[mark, "null"], ["null", mark], [mark], ["null"]]
    assert made[2]["content"][0]["content"][0]["cache_control"] == MARK
