import pytest

from adapters.outbound.providers.completions_via_chat import chat_fields, completion, completion_chunk
from domain.chat import Chunk
from domain.failure import FailureKind, ProviderFailed


def test_a_prompt_becomes_the_users_message() -> None:
    fields = {
        "model": "m",
        "prompt": "Once",
        "max_tokens": 5,
        "stop": ["."],
        "best_of": 1,
        "echo": False,
        "suffix": None,
    }
    assert chat_fields(fields, "groq", drop_params=False) == {
        "model": "m",
        "max_tokens": 5,
        "stop": ["."],
        "messages": [{"role": "user", "content": "Once"}],
    }


def test_a_list_of_one_prompt_is_that_prompt() -> None:
    assert chat_fields({"prompt": ["Once"]}, "groq", drop_params=False) == {
        "messages": [{"role": "user", "content": "Once"}]
    }


@pytest.mark.parametrize("prompt", [["a", "b"], [1, 2], [[1]], [], None, 5])
def test_a_prompt_that_is_not_one_string_is_refused_by_name(prompt: object) -> None:
    with pytest.raises(ProviderFailed) as failed:
        chat_fields({"prompt": prompt}, "groq", drop_params=True)
    assert failed.value.failure.kind is FailureKind.UNSUPPORTED
    assert failed.value.failure.param == "prompt"


@pytest.mark.parametrize(("name", "value"), [("suffix", "."), ("echo", True), ("best_of", 3), ("logprobs", 0)])
def test_what_chat_cannot_say_is_refused_by_name_or_dropped(name: str, value: object) -> None:
    fields = {"prompt": "a", name: value}
    with pytest.raises(ProviderFailed) as failed:
        chat_fields(fields, "groq", drop_params=False)
    assert failed.value.failure.param == name
    assert name not in chat_fields(fields, "groq", drop_params=True)


def test_a_chat_reply_becomes_a_completion() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    choice = {"index": 1, "message": {"role": "assistant", "content": "upon"}, "finish_reason": "length"}
    document = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    assert completion(document) == {
        "id": "x",
        "object": "text_completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 1, "text": "upon", "logprobs": None, "finish_reason": "length"}],
        "usage": usage,
    }


def test_a_chat_chunk_becomes_a_completion_chunk() -> None:
    choice = {"index": 0, "delta": {"content": "upon"}, "finish_reason": None}
    assert completion({"id": "x", "choices": [choice]})["choices"] == [
        {"index": 0, "text": "upon", "logprobs": None, "finish_reason": None}
    ]


@pytest.mark.parametrize("choices", [None, "junk", [None], [{"delta": {"content": 5}}]])
def test_a_senseless_chat_reply_becomes_an_empty_completion(choices: object) -> None:
    translated = completion({"choices": choices})["choices"]
    assert isinstance(translated, list)
    assert all(choice["text"] == "" for choice in translated)


def test_a_sign_of_life_in_a_chats_stream_is_one_in_the_completions() -> None:
    sign = Chunk(b"", content=False, visible=False)
    assert completion_chunk(sign) == sign
