import pytest

from adapters.outbound.providers.gemini.reply import completion_of
from domain.chat import Usage
from domain.failure import FailureKind, ProviderFailed
from tests.unit.providers.gemini.asking import HEAD, candidate, document

FILTERED = ["SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "OTHER", "MODEL_ARMOR"]


def test_a_reply_has_everything_that_its_parts_say() -> None:
    parts = (
        {"text": "Hm. ", "thought": True},
        {"text": "It is "},
        {"text": "red."},
        {"functionCall": {"name": "look", "args": {"x": "ü"}}, "thoughtSignature": "sig"},
        {"functionCall": {"name": "hear", "id": "own"}},
        {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
    )
    completion, usage = completion_of(document(candidate(*parts)), HEAD)

    (choice,) = completion["choices"]
    made = "call_0189000000007000800000000000000100" + "0"
    assert choice == {
        "index": 0,
        "message": {
            "role": "assistant",
            "content": "It is red.",
            "refusal": None,
            "reasoning_content": "Hm. ",
            "tool_calls": [
                {
                    "id": made,
                    "type": "function",
                    "function": {"name": "look", "arguments": '{"x":"ü"}'},
                    "extra_content": {"google": {"thought_signature": "sig"}},
                },
                {"id": "own", "type": "function", "function": {"name": "hear", "arguments": "{}"}},
            ],
            "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}],
        },
        "logprobs": None,
        "finish_reason": "tool_calls",
    }
    assert len(made) == 40
    assert (completion["id"], completion["created"], completion["model"]) == (HEAD.id, 7, "mine")
    assert (usage, "usage" in completion) == (None, False)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("NEW_REASON", "stop"),
        *((each, "content_filter") for each in FILTERED),
    ],
)
def test_every_reason_to_end_has_its_word(reason: str, expected: str) -> None:
    completion, _ = completion_of(document({"finishReason": reason}), HEAD)
    assert completion["choices"][0]["finish_reason"] == expected
    assert completion["choices"][0]["message"]["content"] == ""


@pytest.mark.parametrize(
    "reply",
    [
        *(
            document({"finishReason": reason})
            for reason in (
                "MALFORMED_FUNCTION_CALL",
                "UNEXPECTED_TOOL_CALL",
                "MALFORMED_RESPONSE",
                "TOO_MANY_TOOL_CALLS",
            )
        ),
        {},
        {"candidates": "no"},
        {"candidates": ["no"]},
        document(candidate(finish=None)),
        document({"content": {"parts": "no"}, "finishReason": "STOP"}),
        document({"content": {"parts": ["no"]}, "finishReason": "STOP"}),
    ],
)
def test_a_reply_that_nobody_could_use_is_broken(reply: dict[str, object]) -> None:
    with pytest.raises(ProviderFailed) as raised:
        completion_of(reply, HEAD)
    assert raised.value.failure.kind is FailureKind.BROKEN_REPLY


def test_a_prompt_that_was_blocked_is_a_refusal() -> None:
    told = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 5}}
    completion, usage = completion_of(told, HEAD)

    (choice,) = completion["choices"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("content_filter", None)
    assert choice["message"]["refusal"] == "the provider blocked the prompt: SAFETY"
    assert usage == Usage(5, 0)


def test_thoughts_are_output_and_what_tools_brought_in_is_input() -> None:
    told = {
        "promptTokenCount": 10,
        "toolUsePromptTokenCount": 2,
        "cachedContentTokenCount": 8,
        "candidatesTokenCount": 3,
        "thoughtsTokenCount": 4,
    }
    completion, usage = completion_of(document(candidate({"text": "A"}), usageMetadata=told), HEAD)

    assert usage == Usage(12, 7, 8)
    assert completion["usage"] == {
        "prompt_tokens": 12,
        "completion_tokens": 7,
        "total_tokens": 19,
        "prompt_tokens_details": {"cached_tokens": 8},
        "completion_tokens_details": {"reasoning_tokens": 4},
    }


@pytest.mark.parametrize("count", [-1, True, "5", 2**60, None])
def test_counts_that_cannot_be_believed_are_no_usage(count: object) -> None:
    _, usage = completion_of(document(candidate({"text": "A"}), usageMetadata={"promptTokenCount": count}), HEAD)
    assert usage is None


def test_log_probabilities_are_told_token_by_token() -> None:
    result = {
        "chosenCandidates": [{"token": "ü", "tokenId": 3, "logProbability": -0.5}, {"token": "!"}],
        "topCandidates": [{"candidates": [{"token": "u", "logProbability": -1.5}]}],
    }
    completion, _ = completion_of(document(candidate({"text": "ü!"}, logprobsResult=result)), HEAD)

    other = {"token": "u", "logprob": -1.5, "bytes": [117]}
    assert completion["choices"][0]["logprobs"] == {
        "content": [
            {"token": "ü", "logprob": -0.5, "bytes": [195, 188], "top_logprobs": [other]},
            {"token": "!", "logprob": 0.0, "bytes": [33], "top_logprobs": []},
        ],
        "refusal": None,
    }


def test_candidates_stand_in_their_order() -> None:
    completion, _ = completion_of(document(candidate({"text": "B"}, index=1), candidate({"text": "A"})), HEAD)
    assert [choice["message"]["content"] for choice in completion["choices"]] == ["A", "B"]
