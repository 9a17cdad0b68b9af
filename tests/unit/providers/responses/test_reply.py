"""What becomes of a chat completion, judged by the official client's models."""

import pytest
from openai.types.responses import Response

from adapters.outbound.providers.responses_via_chat.input_items import opened_thoughts
from domain.failure import FailureKind, ProviderFailed
from tests.unit.providers.responses.asking import DIALECT, USAGE, a_call, completion, replied

HEX = "01890a5dac96774bbcceb302099a8057"
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}


def test_text_becomes_a_message() -> None:
    document = replied({"content": "Grüße"})

    assert document["id"] == f"resp_{HEX}"
    assert (document["status"], document["model"], document["created_at"]) == ("completed", "m", 1_700_000_000)
    assert document["output"] == [
        {
            "id": f"msg_{HEX}",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "annotations": [], "logprobs": [], "text": "Grüße"}],
        }
    ]
    assert Response.model_validate(document).output_text == "Grüße"


def test_usage_keeps_what_was_cached_and_thought() -> None:
    assert replied({"content": "a"})["usage"] == {
        "input_tokens": 11,
        "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 0},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 18,
    }


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": "many"}])
def test_usage_that_is_not_told_is_null(usage: object) -> None:
    document = DIALECT.reply({**completion({"content": "a"}), "usage": usage}, a_call())

    assert document["usage"] is None


def test_items_stand_in_the_order_in_which_they_are_said() -> None:
    block = {"type": "thinking", "thinking": "hm", "signature": "s"}
    message = {
        "reasoning_content": "hm",
        "thinking_blocks": [block],
        "content": "a",
        "tool_calls": [CALL, {**CALL, "id": "c2", "extra_content": {"google": {"thought_signature": "t"}}}],
    }

    output = replied(message, "tool_calls")["output"]

    assert [item["type"] for item in output] == ["reasoning", "message", "function_call", "function_call"]
    assert output[0]["content"] == [{"type": "reasoning_text", "text": "hm"}]
    assert opened_thoughts(output[0]["encrypted_content"]) == [block]
    assert (output[2]["call_id"], output[2]["name"], output[2]["arguments"]) == ("c1", "f", '{"x":1}')
    assert output[3]["extra_content"] == {"google": {"thought_signature": "t"}}
    assert len({item["id"] for item in output}) == len(output)


def test_refusal_and_citations_and_logprobs_keep_their_words() -> None:
    cited = {"type": "url_citation", "url_citation": {"start_index": 0, "end_index": 1, "title": "t", "url": "u"}}
    scored = {"token": "a", "logprob": -0.5, "bytes": None, "top_logprobs": [{"token": "b", "logprob": -1.0}]}

    content = replied(
        {"content": "a", "refusal": "no", "annotations": [cited]}, logprobs={"content": [scored], "refusal": None}
    )["output"][0]["content"]

    assert [part["type"] for part in content] == ["output_text", "refusal"]
    assert content[0]["annotations"] == [
        {"type": "url_citation", "start_index": 0, "end_index": 1, "title": "t", "url": "u"}
    ]
    assert content[0]["logprobs"][0]["logprob"] == -0.5
    assert content[0]["logprobs"][0]["top_logprobs"] == [{"token": "b", "logprob": -1.0, "bytes": []}]
    assert content[1]["refusal"] == "no"


@pytest.mark.parametrize(("finish", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")])
def test_reply_that_was_cut_is_incomplete(finish: str, reason: str) -> None:
    document = replied({"content": "a"}, finish)

    assert document["status"] == "incomplete"
    assert document["incomplete_details"] == {"reason": reason}
    assert document["output"][0]["status"] == "incomplete"


@pytest.mark.parametrize("finish", ["stop", "tool_calls"])
def test_reply_that_ended_by_itself_is_completed(finish: str) -> None:
    assert replied({"content": "a", "tool_calls": [CALL]}, finish)["status"] == "completed"


def test_request_is_repeated_in_the_response() -> None:
    fields = {
        "instructions": "be brief",
        "max_output_tokens": 9,
        "metadata": {"a": "b"},
        "parallel_tool_calls": False,
        "temperature": 0.5,
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}],
        "tool_choice": {"type": "function", "name": "f"},
        "reasoning": {"effort": "low"},
        "text": {"verbosity": "low"},
        "store": True,
        "safety_identifier": "s",
        "prompt_cache_key": "k",
    }

    document = DIALECT.reply(completion({"content": "a"}), a_call(fields))

    Response.model_validate(document, strict=True)
    assert {name: document[name] for name in fields if name not in {"store", "reasoning", "text"}} == {
        name: value for name, value in fields.items() if name not in {"store", "reasoning", "text"}
    }
    assert document["reasoning"] == {"effort": "low", "summary": None}
    assert document["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    assert document["store"] is False


def test_call_without_an_id_gets_one() -> None:
    call = {"type": "function", "function": {"name": "f", "arguments": None}}

    item = replied({"content": None, "tool_calls": [call]}, "tool_calls")["output"][0]

    assert item["call_id"] == f"call_{HEX}"
    assert item["arguments"] == ""


@pytest.mark.parametrize("choices", [None, [], ["x"], [{"index": 0}]])
def test_reply_without_a_message_is_broken(choices: object) -> None:
    with pytest.raises(ProviderFailed) as caught:
        DIALECT.reply({"choices": choices, "usage": USAGE}, a_call())

    assert caught.value.failure.kind is FailureKind.BROKEN_REPLY
