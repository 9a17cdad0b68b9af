"""What both dialects have survives the way there and back."""

import json
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.providers.cohere.request import chat_fields
from tests.unit.providers.cohere.asking import asked, tool
from tests.unit.providers.cohere.replying import answered
from tests.unit.providers.cohere.test_stream import SAID
from tests.wires import cohere_reply, openai_request
from tests.wires.cohere import CohereWire
from tests.wires.openai import OpenAIWire
from tests.wires.wire import Said, WireRequest

WORDS = st.text(min_size=1, max_size=12)
PLACES = st.sampled_from(["https://images.test/a.png", "data:image/png;base64,iVBORw0KGgo="])
TEXT = WORDS.map(lambda text: {"type": "text", "text": text})
IMAGE = PLACES.map(lambda url: {"type": "image_url", "image_url": {"url": url}})
CALL = st.builds(
    lambda name, given: {"id": "c1", "type": "function", "function": {"name": name, "arguments": json.dumps(given)}},
    st.sampled_from(["look", "go"]),
    st.dictionaries(WORDS, WORDS, max_size=2),
)
MESSAGE = st.one_of(
    st.fixed_dictionaries({"role": st.just("system"), "content": WORDS | st.lists(TEXT, min_size=1, max_size=2)}),
    st.fixed_dictionaries({"role": st.just("user"), "content": WORDS | st.lists(TEXT | IMAGE, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"role": st.just("assistant"), "content": WORDS}),
    st.fixed_dictionaries(
        {"role": st.just("assistant"), "tool_calls": st.lists(CALL, min_size=1, max_size=2)},
        optional={"content": WORDS},
    ),
    st.fixed_dictionaries({"role": st.just("tool"), "tool_call_id": st.just("c1"), "content": WORDS}),
)
REQUEST = st.fixed_dictionaries(
    {"messages": st.lists(MESSAGE, min_size=1, max_size=5)},
    optional={
        "tools": st.just([tool("look"), tool("go")]),
        "tool_choice": st.sampled_from(["none", "required"]),
        "response_format": st.just({"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}}),
        "stop": WORDS | st.lists(WORDS, min_size=1, max_size=3),
        "temperature": st.floats(0, 1),
    },
)


@given(REQUEST)
def test_cohere_hears_what_openai_would_have_heard(fields: dict[str, Any]) -> None:
    body = json.dumps(chat_fields(asked(**fields))).encode()
    headers = {"authorization": f"Bearer {CohereWire.key}"}

    heard = CohereWire().hear(WireRequest("POST", "/v2/chat", "", headers, body))

    assert heard == openai_request.heard(json.dumps(fields | {"model": "command-a"}).encode())


@given(SAID)
def test_an_answer_that_is_sent_back_is_what_cohere_said(said: Said) -> None:
    message = answered(said)[0]["message"]

    (told,) = cast("list[dict[str, Any]]", chat_fields(asked(messages=[message]))["messages"])

    content = told.get("content") or []
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    original = cohere_reply.whole(said)["message"]
    assert blocks == original.get("content", [])
    for name in ("tool_calls", "tool_plan"):
        assert told.get(name) == original.get(name)


def test_both_wires_say_the_same_to_a_client() -> None:
    said = Said(text="Blue.", reasoning="The sky", finish="length", cached_tokens=2)

    (openai,) = json.loads(OpenAIWire().whole(said, "m").pieces[0])["choices"]
    choice, _ = answered(said)

    del openai["message"]["annotations"]
    assert choice == openai
