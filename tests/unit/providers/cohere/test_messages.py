import pytest

from domain.failure import FailureKind, ProviderFailed
from tests.unit.providers.cohere.asking import sent, sent_message

CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}
TEXT = {"type": "text", "text": "seen"}


@pytest.mark.parametrize("role", ["system", "developer"])
def test_a_developer_is_the_system(role: str) -> None:
    assert sent_message(role=role, content="Be brief.") == {"role": "system", "content": "Be brief."}
    assert sent_message(role=role, content=[TEXT])["content"] == [TEXT]


@pytest.mark.parametrize("url", ["https://images.test/a.png", "data:image/png;base64,iVBORw0KGgo="])
def test_images_are_passed_on_by_url_and_by_data(url: str) -> None:
    image = {"type": "image_url", "image_url": {"url": url, "detail": "low"}}

    assert sent_message(role="user", content=[TEXT, image])["content"] == [TEXT, image]


def test_what_others_say_of_their_caches_is_left_out() -> None:
    cached = {**TEXT, "cache_control": {"type": "ephemeral"}}

    assert sent_message(role="user", content=[cached])["content"] == [TEXT]


def test_results_of_tools_are_blocks_of_text() -> None:
    assert sent_message(role="tool", tool_call_id="c1", content="seen") == {
        "role": "tool",
        "tool_call_id": "c1",
        "content": [TEXT],
    }


def test_documents_among_the_results_of_tools_stay_documents() -> None:
    document = {"type": "document", "document": {"id": "d", "data": {"sky": "blue"}}}

    assert sent_message(role="tool", tool_call_id="c1", content=[document, TEXT])["content"] == [document, TEXT]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"content": "Yes."}, {"content": "Yes."}),
        ({"content": [TEXT]}, {"content": "seen"}),
        ({"content": None}, {"content": ""}),
        ({"content": None, "refusal": "No."}, {"content": "No."}),
        ({"content": [{"type": "refusal", "refusal": "No."}]}, {"content": "No."}),
        ({"content": None, "tool_calls": [CALL]}, {"tool_calls": [CALL]}),
        ({"content": "", "tool_calls": [CALL]}, {"tool_calls": [CALL]}),
        ({"content": "Look.", "tool_calls": [CALL]}, {"content": "Look.", "tool_calls": [CALL]}),
        ({"content": None, "reasoning_content": "I look.", "tool_calls": [CALL]}, {"tool_plan": "I look."}),
        (
            {"content": "seen", "reasoning_content": "I look."},
            {"content": [{"type": "thinking", "thinking": "I look."}, TEXT]},
        ),
        ({"content": "It.", "citations": [{"start": 0, "end": 2}]}, {"citations": [{"start": 0, "end": 2}]}),
    ],
)
def test_an_answer_of_before_is_told_again(given: dict[str, object], said: dict[str, object]) -> None:
    message = sent_message(role="assistant", **given)

    assert said.items() <= message.items()
    assert ("tool_calls" in given) == ("tool_calls" in message)
    assert ("content" in message) == (bool(given["content"]) or "tool_calls" not in given)


def test_calls_without_arguments_are_told_with_none() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "now", "arguments": ""}}

    assert sent_message(role="assistant", tool_calls=[call])["tool_calls"][0]["function"]["arguments"] == "{}"


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("Hi", "messages[]"),
        ({"role": "function", "content": "x"}, "messages[].role 'function'"),
        ({"role": "user", "content": [{"type": "input_audio"}]}, "messages[].content[].type 'input_audio'"),
        ({"role": "user", "content": [{"type": "file"}]}, "messages[].content[].type 'file'"),
        ({"role": "user", "content": [{"type": "image_url", "image_url": 1}]}, "messages[].content[].image_url"),
        ({"role": "system", "content": [{"type": "image_url"}]}, "messages[].content[].type 'image_url'"),
        ({"role": "user", "content": ["text"]}, "messages[].content[].type"),
        ({"role": "assistant", "tool_calls": [{"type": "custom"}]}, "messages[].tool_calls[].type"),
    ],
)
def test_what_cohere_has_no_way_to_say_is_refused(message: object, param: str) -> None:
    with pytest.raises(ProviderFailed) as raised:
        sent(messages=[message])

    assert (raised.value.failure.kind, raised.value.failure.param) == (FailureKind.UNSUPPORTED, param)
