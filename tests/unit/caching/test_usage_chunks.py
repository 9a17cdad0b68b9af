"""Who sees the usage of a stream that several read: whoever asked for it."""

import asyncio

import pytest

from adapters.outbound.providers.openai_chunks import ChunkRelay
from adapters.testing.scripted_provider import Act
from adapters.testing.virtual_time import run_virtual
from application.caching.flight import Flight, FlightReader
from domain.chat import Chunk
from domain.durations import SECOND_US
from domain.redaction import Redactor
from tests.unit.caching.fleet import calls_of, drained, fleet_of

HEAD = b'{"id":"1","object":"chat.completion.chunk","created":1,"model":"gpt","choices":'
USAGE = b',"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}'


@pytest.mark.parametrize("leader_wants", [True, False])
@pytest.mark.parametrize("follower_wants", [True, False])
def test_a_usage_chunk_shows_at_another_gateway_only_to_whom_asked(*, leader_wants: bool, follower_wants: bool) -> None:
    async def scenario() -> None:
        one, two = fleet_of(2, Act(delay_us=SECOND_US, chunks=3, chunk_delay_us=SECOND_US))
        leader = asyncio.create_task(one.text(stream_usage=leader_wants))
        await one.clock.sleep(1_000)
        chunks = await drained(await two.stream(stream_usage=follower_wants))
        await leader
        assert calls_of([one, two]) == 1
        assert any(chunk.usage is not None and chunk.visible for chunk in chunks) is follower_wants

    run_virtual(scenario())


async def seen_by(events: list[bytes], *, leader_wants: bool | None, follower_wants: bool) -> list[Chunk]:
    """What a reader sees of a flight; `leader_wants`: None where that is not known, for it is another gateway's."""
    relay, flight = ChunkRelay("gpt", Redactor(), usage_wanted=bool(leader_wants)), Flight()
    flight.shows_usage = leader_wants
    for event in events:
        flight.push((relay.chunk(event),))
    flight.land(None)
    reader = FlightReader(flight, shows_usage=follower_wants, on_end=lambda _: None)
    return [chunk async for batch in reader for chunk in batch if chunk.visible]


@pytest.mark.parametrize("leader_wants", [True, False, None])
@pytest.mark.parametrize("follower_wants", [True, False])
@pytest.mark.parametrize("choices", [b"[]", b'[{"index":0,"delta":{"role":"assistant","content":""}}]'])
def test_usage_beside_choices_that_say_nothing_is_shown_to_whom_asked(
    *, leader_wants: bool | None, follower_wants: bool, choices: bytes
) -> None:
    async def scenario() -> None:
        events = [
            HEAD + b'[{"index":0,"delta":{"role":"assistant","content":"x"}}]}',
            HEAD + b'[{"index":0,"delta":{},"finish_reason":"stop"}]}',
            HEAD + choices + USAGE,
        ]
        seen = await seen_by(events, leader_wants=leader_wants, follower_wants=follower_wants)
        assert [chunk.usage is not None for chunk in seen] == [False, False, *[True] * follower_wants]

    run_virtual(scenario())


@pytest.mark.parametrize("leader_wants", [True, False, None])
@pytest.mark.parametrize("follower_wants", [True, False])
def test_usage_beside_what_opens_a_stream_or_beside_content_is_shown_to_everybody(
    *, leader_wants: bool | None, follower_wants: bool
) -> None:
    async def scenario() -> None:
        events = [
            HEAD + b'[{"index":0,"delta":{"role":"assistant"}}]' + USAGE,
            HEAD + b'[{"index":0,"delta":{"content":"x"}}]' + USAGE,
            HEAD + b'[{"index":0,"delta":{},"finish_reason":"stop"}]}',
        ]
        seen = await seen_by(events, leader_wants=leader_wants, follower_wants=follower_wants)
        assert [chunk.usage is not None for chunk in seen] == [True, True, False]

    run_virtual(scenario())
