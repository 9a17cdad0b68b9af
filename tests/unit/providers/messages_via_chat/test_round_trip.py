"""Messages to a chat and on to Anthropic's Messages: what both have comes out as it went in."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.providers.anthropic.reply import choice_of, usage_shown
from adapters.outbound.providers.anthropic.request import messages_fields
from adapters.outbound.providers.dialect import Asked
from adapters.outbound.providers.messages_via_chat.reply import message
from tests.unit.providers.messages_via_chat.calls import asked, message_call

WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(str.strip)
NAMES = st.from_regex(r"[a-zA-Z0-9_-]{1,8}", fullmatch=True)
INPUTS = st.dictionaries(WORDS, st.one_of(st.integers(), WORDS, st.none(), st.lists(st.booleans())), max_size=3)
MARKS = st.sampled_from([{}, {"cache_control": {"type": "ephemeral"}}])


def block(kind: str, marks: st.SearchStrategy[dict[str, Any]] = MARKS, **fields: Any) -> st.SearchStrategy[Any]:
    told = st.fixed_dictionaries({"type": st.just(kind), **fields})
    return st.builds(lambda one, mark: {**one, **mark}, told, marks)


BARE: st.SearchStrategy[dict[str, Any]] = st.just({})
TEXTS = block("text", text=WORDS)
SOURCES = st.one_of(
    st.just({"type": "url", "url": "https://example.com/a.png"}),
    st.just({"type": "base64", "media_type": "image/png", "data": "iVBORw0K"}),
)
IMAGES = block("image", source=SOURCES)
FILES = block(
    "document", title=WORDS, source=st.just({"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="})
)
RESULTS = block("tool_result", tool_use_id=NAMES, content=st.lists(TEXTS | IMAGES, min_size=1, max_size=2))
THOUGHTS = block("thinking", BARE, thinking=WORDS, signature=WORDS) | block("redacted_thinking", BARE, data=WORDS)
CALLS = block("tool_use", BARE, id=NAMES, name=NAMES, input=INPUTS)
ASKING = st.builds(
    lambda results, others: results + others,
    st.lists(RESULTS, max_size=2),
    st.lists(TEXTS | IMAGES | FILES, min_size=1, max_size=3),
)
ANSWERING = st.builds(
    lambda thoughts, texts, calls: thoughts + texts + calls,
    st.lists(THOUGHTS, max_size=2),
    st.lists(TEXTS, min_size=1, max_size=2),
    st.lists(CALLS, max_size=2),
)
TOOLS = st.builds(
    lambda tool, mark: {**tool, **mark},
    st.fixed_dictionaries(
        {"name": NAMES, "input_schema": st.just({"type": "object", "properties": {"a": {"type": "string"}}})},
        optional={"description": WORDS, "strict": st.just(True)},
    ),
    MARKS,
)
CHOICES = st.sampled_from(
    [
        {"type": "auto"},
        {"type": "any"},
        {"type": "none"},
        {"type": "tool", "name": "a"},
        {"type": "auto", "disable_parallel_tool_use": True},
    ]
)
REQUESTS = st.fixed_dictionaries(
    {
        "max_tokens": st.integers(1, 8_000),
        "messages": st.builds(
            lambda first, second, third: [
                {"role": "user", "content": first},
                {"role": "assistant", "content": second},
                {"role": "user", "content": third},
            ],
            ASKING,
            ANSWERING,
            ASKING,
        ),
    },
    optional={
        "system": st.lists(TEXTS, min_size=1, max_size=2),
        "stop_sequences": st.lists(WORDS, min_size=1, max_size=2),
        "temperature": st.floats(0, 1),
        "top_k": st.integers(1, 50),
        "metadata": st.builds(lambda name: {"user_id": name}, WORDS),
        "output_config": st.just({"format": {"type": "json_schema", "schema": {"type": "object"}}}),
    },
)


def there_and_back(fields: dict[str, Any]) -> dict[str, Any]:
    chat = asked(**fields)
    most = chat.pop("max_tokens")
    told: dict[str, Any] = messages_fields(Asked(chat, "claude-3-5-haiku-latest", max_tokens=most))
    del told["model"]
    return told


@given(REQUESTS)
def test_a_request_comes_out_as_it_went_in(fields: dict[str, Any]) -> None:
    assert there_and_back(fields) == fields


@given(st.lists(TOOLS, min_size=1, max_size=3), CHOICES)
def test_tools_come_out_as_they_went_in(tools: list[dict[str, Any]], choice: dict[str, Any]) -> None:
    fields = {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}], "max_tokens": 5}
    told = there_and_back({**fields, "tools": tools, "tool_choice": choice})
    assert (told["tools"], told["tool_choice"]) == (tools, choice)


COUNTS = st.fixed_dictionaries(
    {
        name: st.integers(0, 9_999)
        for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
    }
)


@given(
    st.lists(THOUGHTS, max_size=2),
    WORDS,
    st.lists(CALLS, max_size=2),
    st.sampled_from(["end_turn", "max_tokens", "stop_sequence"]),
    COUNTS,
)
def test_a_reply_comes_out_as_it_went_in(
    thoughts: list[Any], text: str, calls: list[Any], reason: str, counts: dict[str, int]
) -> None:
    reason = "tool_use" if calls else reason
    content = [*thoughts, {"type": "text", "text": text}, *calls]
    sequence = "END" if reason == "stop_sequence" else None
    wire = {"content": content, "stop_reason": reason, "stop_sequence": sequence, "usage": counts}

    completion = {"choices": [choice_of(wire)], "usage": usage_shown(counts)}
    told = message(completion, message_call())

    assert {name: told[name] for name in wire} == wire
