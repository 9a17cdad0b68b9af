"""Errors, fragments and counted tokens of every provider, for Anthropic's official client."""

import json

import anthropic
import pytest

from tests.e2e.matrix.anthropic_scenes import MAX_TOKENS, SCENES, TOOLS
from tests.e2e.matrix.anthropic_told import ask, told_by, told_of
from tests.e2e.matrix.stage import Part, Stage
from tests.e2e.matrix.test_fragments import LARGE, SPLIT
from tests.wires.all_wires import WIRES
from tests.wires.wire import Refused, Said, Wire, WireReply

pytestmark = pytest.mark.asyncio(loop_scope="session")
each_wire = pytest.mark.parametrize("wire", WIRES, ids=[wire.name for wire in WIRES])
each_way = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])

WORDS = "the temperature must be below 2 °C"
CHAT = SCENES[0].asked
COUNTED = 4242
# What the counts of Anthropic, Bedrock and Google look like, in one.
COUNT = WireReply(
    200, (json.dumps({"input_tokens": COUNTED, "inputTokens": COUNTED, "totalTokens": COUNTED}).encode(),)
)


async def refused(stage: Stage, part: Part, *, streamed: bool) -> anthropic.APIStatusError:
    """The error of one request that the provider heard once, in Anthropic's shape."""
    with pytest.raises(anthropic.APIStatusError) as raised:
        await ask(stage.anthropic, part.model, CHAT, streamed=streamed)
    assert part.lane.last.stream is streamed
    assert len(part.lane.requests) == 1
    error = raised.value
    assert isinstance(error.body, dict)
    assert error.body["type"] == "error"
    assert set(error.body["error"]) >= {"type", "message"}
    return error


@each_way
@pytest.mark.parametrize(
    "wire", [wire for wire in WIRES if wire.name in {"anthropic", "openai"}], ids=lambda wire: wire.name
)
async def test_features_that_a_client_asks_for_are_told_to_its_own_provider_alone(
    stage: Stage, wire: Wire, streamed: bool
) -> None:
    part = stage.part(wire, Said(text="Yes."))
    headers = {"anthropic-beta": "files-api-2025-04-14,context-1m-2025-08-07"}

    await ask(stage.anthropic, part.model, {**CHAT, "extra_headers": headers}, streamed=streamed)

    told = part.lane.requests[0].headers.get("anthropic-beta")
    assert told == (headers["anthropic-beta"] if wire.name == "anthropic" else None)


@each_wire
@each_way
async def test_bad_request_is_one_for_anthropics_client_with_the_providers_words(
    stage: Stage, wire: Wire, streamed: bool
) -> None:
    error = await refused(stage, stage.part(wire, Refused(400, WORDS)), streamed=streamed)

    assert isinstance(error, anthropic.BadRequestError)
    assert error.type == "invalid_request_error"
    assert WORDS in error.message


@each_wire
@each_way
async def test_failure_of_the_provider_is_an_api_error_for_anthropics_client(
    stage: Stage, wire: Wire, streamed: bool
) -> None:
    error = await refused(stage, stage.part(wire, Refused(500, WORDS)), streamed=streamed)

    assert (error.status_code, error.type) == (502, "api_error")


@each_wire
@each_way
async def test_rate_limit_is_one_for_anthropics_client_and_says_when_to_come_back(
    stage: Stage, wire: Wire, streamed: bool
) -> None:
    error = await refused(stage, stage.part(wire, Refused(429, WORDS, retry_after_s=30)), streamed=streamed)

    assert isinstance(error, anthropic.RateLimitError)
    assert error.type == "rate_limit_error"
    assert WORDS in error.message
    assert 25 <= int(error.response.headers["retry-after"]) <= 30


@each_wire
@each_way
async def test_answer_in_single_bytes_is_the_answer_for_anthropics_client(
    stage: Stage, wire: Wire, streamed: bool
) -> None:
    part = stage.part(wire, SPLIT, bytewise=True)

    assert told_by(await ask(stage.anthropic, part.model, CHAT, streamed=streamed)) == told_of(SPLIT, names_stop=False)


@each_wire
async def test_events_of_a_megabyte_add_up_for_anthropics_client(stage: Stage, wire: Wire) -> None:
    said = Said(text=LARGE)
    part = stage.part(wire, said)

    assert told_by(await ask(stage.anthropic, part.model, CHAT, streamed=True)) == told_of(said, names_stop=False)


@each_wire
async def test_tokens_are_counted_by_the_provider_or_estimated(stage: Stage, wire: Wire) -> None:
    part = stage.part(wire, COUNT)

    async def count(text: str) -> int:
        counted = await stage.anthropic.messages.count_tokens(
            model=part.model,
            system="Be brief.",
            tools=TOOLS,  # type: ignore[arg-type]
            messages=[{"role": "user", "content": text}],
        )
        return counted.input_tokens

    small, large = await count("Hello."), await count("Hello. " * 1000)

    if part.lane.requests:
        assert (small, large) == (COUNTED, COUNTED)
    else:
        assert wire.name not in {"anthropic", "gemini", "vertex"}, "it counts, and was not asked"
        assert 0 < small < 1000 < large < 7000


async def test_wrong_key_is_an_authentication_error_for_anthropics_client(stage: Stage) -> None:
    model = stage.part(WIRES[0], Said()).model
    wrong = stage.anthropic.with_options(api_key="sk-wrong")

    with pytest.raises(anthropic.AuthenticationError) as raised:
        await ask(wrong, model, CHAT, streamed=False)

    assert raised.value.type == "authentication_error"


async def test_unknown_model_is_a_not_found_error_for_anthropics_client(stage: Stage) -> None:
    with pytest.raises(anthropic.NotFoundError, match="no-such-model") as raised:
        await ask(stage.anthropic, "no-such-model", CHAT, streamed=False)

    assert raised.value.type == "not_found_error"


@pytest.mark.parametrize("missing", ["max_tokens", "messages"])
async def test_mandatory_field_that_is_missing_is_named_to_anthropics_client(stage: Stage, missing: str) -> None:
    part = stage.part(WIRES[0], Said())
    fields = {"model": part.model, "max_tokens": MAX_TOKENS, "messages": CHAT["messages"]}
    del fields[missing]

    with pytest.raises(anthropic.BadRequestError, match=missing) as raised:
        await stage.anthropic.post("/v1/messages", body=fields, cast_to=object)

    assert raised.value.type == "invalid_request_error"
    assert part.lane.requests == []
