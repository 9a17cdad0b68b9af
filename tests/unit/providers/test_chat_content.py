"""What a message holds in the forms that servers write it in, and that each dialect of clients tells all of it."""

from typing import Any

import pytest

from adapters.outbound.providers.chat_content import text_in, thought_in
from adapters.outbound.providers.completions_via_chat import completion
from adapters.outbound.providers.messages_via_chat.reply import message
from tests.unit.providers.messages_via_chat import calls as messages
from tests.unit.providers.responses.asking import chunk_of, events_in, replied, told_in, usage_chunk

THOUGHT, SAID = "First, Zürich.", "It is sunny. 🌞"
MISTRALS: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "First, "}, {"type": "text", "text": "Zürich."}]},
    {"type": "text", "text": "It is "},
    {"type": "text", "text": "sunny. 🌞"},
]


@pytest.mark.parametrize(
    "told",
    [
        {"content": SAID, "reasoning_content": THOUGHT},
        {"content": SAID, "reasoning": THOUGHT, "reasoning_content": None},
        {"content": MISTRALS},
        {"content": [{"type": "thinking", "thinking": THOUGHT}, {"type": "text", "text": SAID}]},
    ],
)
def test_thought_and_text_are_found_in_every_form(told: dict[str, Any]) -> None:
    assert (thought_in(told), text_in(told)) == (THOUGHT, SAID)


@pytest.mark.parametrize(
    "content", [None, 5, {}, [], ["x"], [{"type": "thinking"}, {"type": "text", "text": 5}, {"type": "image"}]]
)
def test_what_is_no_text_says_nothing(content: object) -> None:
    assert (thought_in({"content": content}), text_in({"content": content})) == ("", "")


def test_parts_of_a_whole_reply_are_told_in_each_dialect() -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": MISTRALS}, "finish_reason": "stop"}

    content: Any = message({"choices": [choice]}, messages.message_call())["content"]
    (thinking, text) = content
    assert (thinking["thinking"], text["text"]) == (THOUGHT, SAID)
    (reasoning, spoken) = replied({"content": MISTRALS})["output"]
    assert (reasoning["content"][0]["text"], spoken["content"][0]["text"]) == (THOUGHT, SAID)
    choices: Any = completion({"choices": [choice]})["choices"]
    assert [one["text"] for one in choices] == [SAID]


def test_parts_in_a_stream_are_told_in_each_dialect() -> None:
    content = messages.rebuilt(
        messages.events_of(
            [*(messages.chunk(content=[part]) for part in MISTRALS), messages.chunk("stop")],
        )
    )["content"]
    assert [block.get("thinking") or block.get("text") for block in content] == [THOUGHT, SAID]

    chunks = [*(chunk_of({"content": [part]}) for part in MISTRALS), chunk_of({}, "stop"), usage_chunk()]
    (reasoning, spoken) = events_in(told_in(chunks))[-1]["response"]["output"]
    assert (reasoning["content"][0]["text"], spoken["content"][0]["text"]) == (THOUGHT, SAID)
