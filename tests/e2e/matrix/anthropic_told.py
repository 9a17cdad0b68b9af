"""What Anthropic's official client made of an answer, in few words."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from anthropic import AsyncAnthropic
from anthropic.types import Message

from tests.e2e.matrix.told import Told
from tests.wires.wire import Said

_FINISH: Final = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
_ORDER: Final = ["thinking", "text", "tool_use"]
_OF_A_BLOCK: Final = ("content_block_start", "content_block_delta", "content_block_stop")
_RAW: Final = frozenset({"message_start", *_OF_A_BLOCK, "message_delta", "message_stop"})


def told_of(said: Said, *, names_stop: bool) -> Told:
    """What the client must make of that; cached tokens are none of the input's here.

    `names_stop`: the provider says that a stop sequence ended the text.
    """
    finish = "stop" if said.finish == "stop_sequence" and not names_stop else said.finish
    return Told(
        said.text,
        said.reasoning,
        tuple((call.name, call.arguments) for call in said.calls),
        _FINISH[finish],
        (said.input_tokens - said.cached_tokens, said.output_tokens, said.cached_tokens),
    )


async def ask(client: AsyncAnthropic, model: str, asked: Mapping[str, Any], *, streamed: bool) -> Message:
    """The answer; a stream is put together by the client's own means, and must be well made."""
    if not streamed:
        return _judged(await client.messages.create(model=model, **asked))
    async with client.messages.stream(model=model, **asked) as stream:
        assert_well_made([event async for event in stream])
        return _judged(await stream.get_final_message())


def assert_well_made(events: Sequence[Any]) -> None:
    """A start, each block from its start to its end before the next, how it ended, and the end."""
    raw = [event for event in events if event.type in _RAW]
    blocks = [event for event in raw if event.type in _OF_A_BLOCK]
    kinds = [event.type for event in raw]
    assert kinds == ["message_start", *[event.type for event in blocks], "message_delta", "message_stop"]
    for expected, (index, of_block) in enumerate(groupby(blocks, key=lambda event: event.index)):
        start, *deltas, stop = [event.type for event in of_block]
        assert (index, start, stop) == (expected, "content_block_start", "content_block_stop")
        assert set(deltas) <= {"content_block_delta"}


def told_by(message: Message) -> Told:
    """The answer in few words."""
    assert (message.type, message.role) == ("message", "assistant")
    kinds = [block.type for block in message.content]
    assert kinds == sorted(kinds, key=_ORDER.index)
    usage = message.usage
    return Told(
        "".join(block.text for block in message.content if block.type == "text"),
        "".join(block.thinking for block in message.content if block.type == "thinking"),
        tuple((block.name, block.input) for block in message.content if block.type == "tool_use"),
        str(message.stop_reason),
        (usage.input_tokens, usage.output_tokens, usage.cache_read_input_tokens or 0),
    )


def ids_of(message: Message) -> list[str]:
    """Of the tool calls."""
    return [block.id for block in message.content if block.type == "tool_use"]


def _judged(message: Message) -> Message:
    """The client takes what it gets; its models say what is missing."""
    return Message.model_validate(message.model_dump(exclude_unset=True, warnings=False))
