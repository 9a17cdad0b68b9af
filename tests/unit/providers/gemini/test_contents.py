import pytest

from domain.failure import FailureKind, ProviderFailed
from tests.unit.providers.gemini.asking import NEW, OLD, body_for, call_of, contents_for, failure_in, user

HI = {"role": "user", "content": "Hi"}
PIXEL = "data:image/png;base64,aGk="


def image(url: str) -> dict[str, object]:
    return {"type": "image_url", "image_url": {"url": url, "detail": "low"}, "cache_control": {"type": "ephemeral"}}


def test_system_and_developer_prompts_stand_apart_in_their_order() -> None:
    body = body_for(
        messages=[
            {"role": "system", "content": "A"},
            HI,
            {"role": "developer", "content": [{"type": "text", "text": "B"}]},
        ]
    )

    assert body["systemInstruction"] == {"parts": [{"text": "A"}, {"text": "B"}]}
    assert body["contents"] == [{"role": "user", "parts": [{"text": "Hi"}]}]


def test_turns_keep_their_sides_and_what_says_nothing_makes_none() -> None:
    contents = contents_for(
        HI, {"role": "assistant", "content": "", "refusal": "No."}, user({"type": "text", "text": ""})
    )
    assert contents == [{"role": "user", "parts": [{"text": "Hi"}]}, {"role": "model", "parts": [{"text": "No."}]}]


def test_calls_and_results_are_parts_with_names_and_ids() -> None:
    calls = [call_of("a", "look", '{"x": 1}', "sig"), call_of("b", "hear", "")]
    contents = contents_for(
        HI,
        {"role": "assistant", "content": "I look.", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "a", "content": "red"},
        {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "no"}, image(PIXEL)]},
        HI,
        model=NEW,
    )

    assert contents[1]["parts"] == [
        {"text": "I look."},
        {"functionCall": {"name": "look", "args": {"x": 1}, "id": "a"}, "thoughtSignature": "sig"},
        {"functionCall": {"name": "hear", "args": {}, "id": "b"}},
    ]
    media = [{"inlineData": {"mimeType": "image/png", "data": "aGk="}}]
    assert contents[2] == {
        "role": "user",
        "parts": [
            {"functionResponse": {"name": "look", "response": {"output": "red"}, "id": "a"}},
            {"functionResponse": {"name": "hear", "response": {"output": "no"}, "id": "b", "parts": media}},
        ],
    }
    assert contents[3] == {"role": "user", "parts": [{"text": "Hi"}]}


@pytest.mark.parametrize(("model", "signed"), [(NEW, True), (OLD, False), ("endpoints/12", False)])
def test_calls_of_another_provider_are_marked_for_models_that_want_signatures(model: str, signed: bool) -> None:
    calls = [call_of("a", "look", "{}"), call_of("b", "look", "{}")]
    results = [{"role": "tool", "tool_call_id": each, "content": ""} for each in "ab"]
    contents = contents_for(HI, {"role": "assistant", "content": None, "tool_calls": calls}, *results, model=model)

    signatures = [part.get("thoughtSignature") for part in contents[1]["parts"]]
    assert signatures == ["skip_thought_signature_validator" if signed else None, None]


def test_the_signature_of_a_text_comes_back_with_it() -> None:
    extra = {"google": {"thought_signature": "sig"}}
    said, unsaid = contents_for(
        {"role": "assistant", "content": "A", "extra_content": extra},
        {"role": "assistant", "content": None, "extra_content": extra},
    )
    assert said["parts"] == [{"text": "A", "thoughtSignature": "sig"}]
    assert unsaid["parts"] == [{"text": "", "thoughtSignature": "sig"}]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (image(PIXEL), {"inlineData": {"mimeType": "image/png", "data": "aGk="}}),
        (
            image("https://x.example/a.JPG?b=c"),
            {"fileData": {"fileUri": "https://x.example/a.JPG?b=c", "mimeType": "image/jpeg"}},
        ),
        (image("gs://b/a.png"), {"fileData": {"fileUri": "gs://b/a.png", "mimeType": "image/png"}}),
        (image("https://x.example/a"), {"fileData": {"fileUri": "https://x.example/a"}}),
        (
            {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
            {"inlineData": {"mimeType": "audio/wav", "data": "aGk="}},
        ),
        (
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,aGk=", "filename": "a.pdf"}},
            {"inlineData": {"mimeType": "application/pdf", "data": "aGk="}},
        ),
    ],
)
def test_media_stand_in_line_or_are_fetched_by_google(part: dict[str, object], expected: dict[str, object]) -> None:
    assert contents_for(user(part))[0]["parts"] == [expected]


@pytest.mark.parametrize(
    ("message", "provider", "field"),
    [
        (user(image("https://x.example/a")), "vertex", "messages[].content[].image_url.url"),
        (user(image("file:///etc/passwd")), "gemini", "messages[].content[].image_url.url"),
        (user({"type": "file", "file": {"file_id": "f"}}), "gemini", "messages[].content[].file"),
        (user({"type": "video"}), "gemini", "messages[].content[].type 'video'"),
        ({"role": "system", "content": [image(PIXEL)]}, "gemini", "messages[].content[]"),
        ({"role": "function", "content": "x"}, "gemini", "messages[].role"),
        ({"role": "assistant", "tool_calls": [{"type": "custom"}]}, "gemini", "messages[].tool_calls[].type"),
    ],
)
def test_content_that_google_cannot_have_is_refused(message: dict[str, object], provider: str, field: str) -> None:
    with pytest.raises(ProviderFailed) as raised:
        contents_for(message, provider=provider)
    failure = failure_in(raised.value)
    assert (failure.kind, failure.param) == (FailureKind.UNSUPPORTED, field)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"role": "assistant", "tool_calls": [call_of("a", "f", "[1]")]}, "messages[].tool_calls"),
        ({"role": "assistant", "tool_calls": [call_of("a", "f", "{")]}, "messages[].tool_calls"),
        ({"role": "tool", "tool_call_id": "a", "content": ""}, "messages[].tool_call_id"),
    ],
)
def test_a_history_that_makes_no_sense_is_the_clients_mistake(message: dict[str, object], field: str) -> None:
    with pytest.raises(ProviderFailed) as raised:
        contents_for(message)
    failure = failure_in(raised.value)
    assert (failure.kind, failure.param, failure.status) == (FailureKind.REQUEST_REFUSED, field, 400)
