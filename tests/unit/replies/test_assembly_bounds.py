import pytest

from application.replies.assembly import ReplyAssembly
from domain.chat import Chunk, Endpoint
from tests.unit.replies.replies import Json, assembled, event, part

HI = (event(part({"role": "assistant", "content": ""})), event(part({"content": "Hi"})))
END = event(part({}, "stop"))


def call(**more: object) -> Json:
    return {"tool_calls": [{"index": 0, **more}]}


@pytest.mark.parametrize(
    "chunk",
    [
        event(part({"content": "x" * 100})),
        event(part({"role": "assistant", "content": "x" * 100})),
        event(part({"refusal": "x" * 100})),
        event(part({"function_call": {"arguments": "x" * 100}})),
        event(part(call(function={"arguments": "x" * 100}))),
        event(part({}, logprobs={"content": [{"token": "x" * 100}]})),
    ],
)
def test_it_gives_up_beyond_its_bytes(chunk: Chunk) -> None:
    assembly = ReplyAssembly(Endpoint.CHAT, 10_000)
    gave_up = []
    for _ in range(120):
        assembly.add((chunk,))
        gave_up.append(assembly.gave_up)
    assert 20 < gave_up.index(True) < 110
    assembly.add((*HI, END))
    assert gave_up[-1]
    assert assembly.reply() is None


def test_it_counts_what_it_keeps_and_not_the_frames() -> None:
    repeated: Json = {"role": "assistant", "content": "a", "reasoning_content": None, "tool_calls": []}
    safe = {"hate": {"filtered": False}}
    assembly = ReplyAssembly(Endpoint.CHAT, 4_000)
    for number in range(1_000):
        assembly.add((event(part(repeated, content_filter_results=safe), created=number),))
    assembly.add((END,))
    assert assembly.reply() is not None


def test_a_reply_is_no_larger_than_asked() -> None:
    chunks = (event(part({"content": "€" * 3_000})), END)
    whole = assembled(Endpoint.CHAT, chunks)
    assert whole is not None
    for spare, kept in ((0, True), (-1, False)):
        assembly = ReplyAssembly(Endpoint.CHAT, len(whole.body) + spare)
        assembly.add(chunks)
        assert (assembly.reply() is not None) is kept
