"""What OpenAI's official client made of a response, in few words."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from openai import AsyncOpenAI
from openai.types.responses import Response

from tests.e2e.matrix.told import Told
from tests.wires.wire import Said

_CUT: Final = {"length": "max_output_tokens", "content_filter": "content_filter"}
_KINDS: Final = ["reasoning", "message", "function_call"]


def told_of(said: Said) -> Told:
    """What the client must make of that. A response that calls functions is complete as any other."""
    return Told(
        said.text,
        said.reasoning,
        tuple((call.name, call.arguments) for call in said.calls),
        _CUT.get(said.finish, "completed"),
        (said.input_tokens, said.output_tokens, said.cached_tokens),
    )


async def ask(client: AsyncOpenAI, model: str, asked: Mapping[str, Any], *, streamed: bool) -> Response:
    """The answer; a stream is put together by the client's own means, and must be well made."""
    if not streamed:
        whole: Response = await client.responses.create(model=model, **asked)
        assert whole.status in {"completed", "incomplete"}
        return whole
    async with client.responses.stream(model=model, **asked) as stream:
        events: list[Any] = [event async for event in stream]
    assert_well_made(events)
    last: Response = events[-1].response
    return last


def assert_well_made(events: Sequence[Any]) -> None:
    """Numbered, created first and ended last, each item and part from its start to its end, and all its text told."""
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] in {"response.completed", "response.incomplete"}
    added = [event.item.id for event in events if event.type == "response.output_item.added"]
    done = [event.item for event in events if event.type == "response.output_item.done"]
    last = events[-1].response
    assert [item.id for item in done] == added == [item.id for item in last.output]
    assert [_as_sent(item) for item in done] == [_as_sent(item) for item in last.output]
    said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert said == last.output_text
    arguments = "".join(event.delta for event in events if event.type == "response.function_call_arguments.delta")
    assert arguments == "".join(item.arguments for item in last.output if item.type == "function_call")


def _as_sent(item: Any) -> dict[str, object]:
    """Without what the client itself adds to a part or a call."""
    told: dict[str, Any] = item.model_dump(exclude_unset=True, warnings=False, exclude={"parsed_arguments"})
    for part in told.get("content") or ():
        part.pop("parsed", None)
    return told


def told_by(response: Response) -> Told:
    """The answer in few words."""
    assert response.error is None
    kinds = [item.type for item in response.output]
    assert kinds == sorted(kinds, key=_KINDS.index)
    calls = [item for item in response.output if item.type == "function_call"]
    thoughts = [item for item in response.output if item.type == "reasoning"]
    usage = response.usage
    assert usage is not None
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    return Told(
        response.output_text,
        "".join(part.text for item in thoughts for part in item.content or ()),
        tuple((call.name, json.loads(call.arguments)) for call in calls),
        response.incomplete_details.reason or "" if response.incomplete_details else str(response.status),
        (usage.input_tokens, usage.output_tokens, usage.input_tokens_details.cached_tokens),
    )


def ids_of(response: Response) -> list[str]:
    """Of the function calls."""
    return [item.call_id for item in response.output if item.type == "function_call"]
