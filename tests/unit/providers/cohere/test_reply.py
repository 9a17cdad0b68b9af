import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from adapters.outbound.providers.cohere.reply import completion
from domain.chat import Usage
from domain.failure import FailureKind, ProviderFailed
from tests.unit.providers.cohere.replying import HEAD, REDACTOR, answered, whole
from tests.wires import cohere_reply
from tests.wires.wire import Said, ToolCall

CALLS = (ToolCall("c1", "look", {"at": 1}), ToolCall("c2", "look", {}))


def document(**more: Any) -> dict[str, Any]:
    return cohere_reply.whole(Said(text="Yes.")) | more


def test_an_answer_is_openais() -> None:
    reply, usage = completion(cohere_reply.whole(Said(text="Größe 😀", cached_tokens=5)), HEAD, REDACTOR)

    ChatCompletion.model_validate(reply)
    assert reply == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "mine",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Größe 😀", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 11,
            "completion_tokens": 7,
            "total_tokens": 18,
            "prompt_tokens_details": {"cached_tokens": 5},
        },
    }
    assert usage == Usage(11, 7, 5)


def test_parallel_calls_and_their_plan_are_told() -> None:
    choice, _ = answered(Said(reasoning="I look twice.", calls=CALLS, finish="tool_calls"))

    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    assert choice["message"]["reasoning_content"] == "I look twice."
    assert choice["message"]["tool_calls"] == [
        {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}},
        {"id": "c2", "type": "function", "function": {"name": "look", "arguments": "{}"}},
    ]


def test_thinking_stands_beside_the_text() -> None:
    choice, _ = answered(Said(text="Blue.", reasoning="The sky is"))

    assert choice["message"]["reasoning_content"] == "The sky is"
    assert choice["message"]["content"] == "Blue."


def test_an_answer_without_a_word_is_empty_text() -> None:
    assert answered(Said())[0]["message"]["content"] == ""


def test_citations_are_kept_as_they_are() -> None:
    cited = [{"start": 0, "end": 3, "text": "Yes", "sources": [{"type": "document", "id": "d:0"}]}]
    message = {"role": "assistant", "content": [{"type": "text", "text": "Yes."}], "citations": cited}

    assert whole(document(message=message))[0]["message"]["citations"] == cited


def test_the_probability_of_a_text_is_that_of_all_its_tokens() -> None:
    items = [
        {"text": "Yé", "token_ids": [1, 2], "logprobs": [-0.5, -0.25]},
        {"text": "s", "token_ids": [3], "logprobs": [-1.0]},
        {"text": "unknown", "token_ids": [4]},
    ]

    assert whole(document(logprobs=items))[0]["logprobs"] == {
        "content": [
            {"token": "Yé", "logprob": -0.75, "bytes": [89, 195, 169], "top_logprobs": []},
            {"token": "s", "logprob": -1.0, "bytes": [115], "top_logprobs": []},
        ],
        "refusal": None,
    }


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("COMPLETE", "stop"),
        ("STOP_SEQUENCE", "stop"),
        ("MAX_TOKENS", "length"),
        ("TOOL_CALL", "tool_calls"),
        ("ERROR_TOXIC", "content_filter"),
        ("SOMETHING_NEW", "stop"),
        (None, "stop"),
    ],
)
def test_every_reason_to_stop_has_openais_word(reason: str | None, told: str) -> None:
    assert whole(document(finish_reason=reason))[0]["finish_reason"] == told


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        ({"finish_reason": "ERROR"}, FailureKind.SERVER_ERROR),
        ({"finish_reason": "ERROR_LIMIT"}, FailureKind.SERVER_ERROR),
        ({"finish_reason": "TIMEOUT"}, FailureKind.TIMEOUT),
        ({"message": None}, FailureKind.BROKEN_REPLY),
        ({"message": {"tool_calls": [None]}}, FailureKind.BROKEN_REPLY),
    ],
)
def test_an_answer_that_broke_off_is_a_failure(broken: dict[str, object], kind: FailureKind) -> None:
    with pytest.raises(ProviderFailed) as raised:
        whole(document(**broken))

    assert (raised.value.failure.kind, raised.value.failure.ambiguous) == (kind, True)


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ({"billed_units": {"input_tokens": 5.0, "output_tokens": 418.0}}, Usage(5, 418)),
        ({"tokens": {"input_tokens": 71, "output_tokens": 418}}, Usage(71, 418)),
        ({"billed_units": {"input_tokens": 5, "output_tokens": 1}, "cached_tokens": 6}, Usage(5, 1)),
        ({"billed_units": {"search_units": 1}, "tokens": {"input_tokens": 2, "output_tokens": 3}}, Usage(2, 3)),
        ({"billed_units": {"input_tokens": -1, "output_tokens": 1}}, None),
        ({"billed_units": {"input_tokens": True, "output_tokens": 1}}, None),
        ({"billed_units": {"input_tokens": json.loads("NaN"), "output_tokens": 1}}, None),
        ({}, None),
        (None, None),
    ],
)
def test_usage_is_what_is_billed_if_that_is_told(told: object, usage: Usage | None) -> None:
    assert whole(document(usage=told))[1] == usage
