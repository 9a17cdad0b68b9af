"""Stored replies as the official client reads them."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import openai
import pytest
import pytest_asyncio
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionChunk, ChatCompletionFunctionToolParam, ChatCompletionUserMessageParam

from tests.e2e.behaviour import Behaviour, Ending, ending
from tests.e2e.gateway_process import Gateway, configuration, instance, running_gateway
from tests.e2e.openai_wire import INPUT_TOKENS, VECTOR, whole_text
from tests.e2e.scripted_upstream import ScriptedUpstream

pytestmark = pytest.mark.asyncio(loop_scope="module")

USER: ChatCompletionUserMessageParam = {"role": "user", "content": "hello"}
WEATHER = ("weather", '{"city":"Zürich","days":[1,2,3]}')
TOOL: ChatCompletionFunctionToolParam = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}
ORDERS = [(first, second) for first in ("whole", "stream") for second in ("whole", "stream")]
CUTS = {
    "reset": ending(Ending.RST, 2),
    "closed": ending(Ending.FIN, 2),
    "closed-unframed": Behaviour(ends=Ending.FIN, after=2, until_close=True),
    "error": ending(Ending.ERROR_EVENT, 2),
    "unfinished": ending(Ending.SILENT_END, 2),
}
LANES = (
    "headers",
    "wishes",
    "embedded",
    *(f"chat-{first}-{second}" for first, second in ORDERS),
    *(f"tool-{first}-{second}" for first, second in ORDERS),
    *(f"usage-{first}" for first in ("whole", "stream")),
    *CUTS,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client made of a reply, however it came."""

    headers: Mapping[str, str]
    text: str
    calls: tuple[tuple[str | None, str], ...]
    finish: str | None
    total_tokens: int | None
    chunks: int = 0

    @property
    def said(self) -> tuple[object, ...]:
        """What must be the same in every form."""
        return (self.text, self.calls, self.finish)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    models = [instance(lane, upstream.base_url, output_cost_per_token="0.001") for lane in LANES]
    async with running_gateway(configuration(models), tmp_path_factory.mktemp("cached")) as running:
        yield running


async def whole(client: AsyncOpenAI, model: str) -> Answer:
    raw = await client.chat.completions.with_raw_response.create(
        model=model, messages=[USER], tools=[TOOL], temperature=0
    )
    reply = raw.parse()
    (choice,) = reply.choices
    calls = tuple(
        (call.id, call.function.arguments) for call in choice.message.tool_calls or () if call.type == "function"
    )
    used = None if reply.usage is None else reply.usage.total_tokens
    return Answer(raw.headers, choice.message.content or "", calls, choice.finish_reason, used)


async def stream(client: AsyncOpenAI, model: str, *, usage: bool = False) -> Answer:
    options = {"stream_options": {"include_usage": True}} if usage else {}
    raw = await client.chat.completions.with_raw_response.create(
        model=model, messages=[USER], tools=[TOOL], temperature=0, stream=True, extra_body=options
    )
    chunks = [chunk async for chunk in raw.parse()]
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    finishes = [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]
    used = [chunk.usage.total_tokens for chunk in chunks if chunk.usage is not None]
    assert len(finishes) == 1
    assert len(used) == usage
    return Answer(raw.headers, text, _calls(chunks), finishes[0], used[0] if used else None, len(chunks))


def _calls(chunks: list[ChatCompletionChunk]) -> tuple[tuple[str | None, str], ...]:
    deltas = [call for chunk in chunks for choice in chunk.choices for call in choice.delta.tool_calls or ()]
    if not deltas:
        return ()
    return ((deltas[0].id, "".join(call.function.arguments or "" for call in deltas if call.function)),)


FORMS = {"whole": whole, "stream": stream}


@pytest.mark.parametrize(("first", "second"), ORDERS)
async def test_chat_is_answered_from_the_entry_of_either_form(
    client: AsyncOpenAI, upstream: ScriptedUpstream, first: str, second: str
) -> None:
    model = f"chat-{first}-{second}"

    fetched, found = await FORMS[first](client, model), await FORMS[second](client, model)

    assert (fetched.headers["x-cache"], found.headers["x-cache"]) == ("MISS", "HIT")
    assert found.said == fetched.said == (whole_text(model, Behaviour()), (), "stop")
    assert len(upstream.lane(model).requests) == 1


@pytest.mark.parametrize(("first", "second"), ORDERS)
async def test_tool_calls_are_answered_from_the_entry_of_either_form(
    client: AsyncOpenAI, upstream: ScriptedUpstream, first: str, second: str
) -> None:
    model = f"tool-{first}-{second}"
    upstream.lane(model).default = Behaviour(tool_call=WEATHER)

    fetched, found = await FORMS[first](client, model), await FORMS[second](client, model)

    assert (fetched.headers["x-cache"], found.headers["x-cache"]) == ("MISS", "HIT")
    assert found.said == fetched.said == ("", (("call_1", WEATHER[1]),), "tool_calls")
    assert len(upstream.lane(model).requests) == 1


@pytest.mark.parametrize("first", ["whole", "stream"])
async def test_a_replayed_stream_has_usage_where_the_client_asks_for_it(client: AsyncOpenAI, first: str) -> None:
    model = f"usage-{first}"
    await FORMS[first](client, model)

    without, having = await stream(client, model), await stream(client, model, usage=True)
    again = await whole(client, model)

    assert {answer.headers["x-cache"] for answer in (without, having, again)} == {"HIT"}
    assert (without.total_tokens, having.total_tokens, again.total_tokens) == (None, INPUT_TOKENS + 4, INPUT_TOKENS + 4)
    assert having.chunks == without.chunks + 1


async def test_a_hit_says_since_when_it_was_there_and_costs_nothing(client: AsyncOpenAI) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    fetched, found = await whole(client, "headers"), await whole(client, "headers")

    assert fetched.headers["x-cache"] == "MISS"
    assert fetched.headers["x-moongate-cost"] == "0.004"
    assert not {"age", "x-cache-time"} & set(fetched.headers)
    assert found.headers["x-cache"] == "HIT"
    assert (found.headers["x-moongate-cost"], found.headers["x-moongate-attempts"]) == ("0", "0")
    assert 0 <= int(found.headers["age"]) <= 5
    assert began <= datetime.fromisoformat(found.headers["x-cache-time"]) <= datetime.now(UTC)
    assert found.headers["x-request-id"] != fetched.headers["x-request-id"]


async def test_what_no_stored_reply_may_answer_passes_by(client: AsyncOpenAI, upstream: ScriptedUpstream) -> None:
    for fields in ({}, {"temperature": 0.7}, {"temperature": 0, "n": 2}):
        for _ in range(2):
            raw = await client.chat.completions.with_raw_response.create(
                model="wishes", messages=[USER], extra_body=fields
            )
            assert raw.headers["x-cache"] == "BYPASS"
    assert len(upstream.lane("wishes").requests) == 6


@pytest.mark.parametrize("form", ["float", "base64"])
async def test_embeddings_are_answered_from_the_cache(
    client: AsyncOpenAI, upstream: ScriptedUpstream, form: str
) -> None:
    before = len(upstream.lane("embedded").requests)
    statuses = []
    for _ in range(2):
        # Without a format of its own the client asks for base64, and unpacks it.
        asked = {"encoding_format": "float"} if form == "float" else {}
        raw = await client.embeddings.with_raw_response.create(model="embedded", input=["one", "two"], extra_body=asked)
        assert [entry.embedding for entry in raw.parse().data] == [list(VECTOR)] * 2
        statuses.append(raw.headers["x-cache"])

    assert statuses == ["MISS", "HIT"]
    assert len(upstream.lane("embedded").requests) == before + 1


@pytest.mark.parametrize("name", CUTS)
async def test_a_truncated_stream_is_never_stored(client: AsyncOpenAI, upstream: ScriptedUpstream, name: str) -> None:
    upstream.lane(name).queue(CUTS[name])
    with pytest.raises(openai.APIError):
        await stream(client, name)

    after = await whole(client, name)

    assert after.headers["x-cache"] == "MISS"
    assert after.text == whole_text(name, Behaviour())
    assert len(upstream.lane(name).requests) == 2
