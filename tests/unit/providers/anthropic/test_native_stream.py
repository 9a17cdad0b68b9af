"""Anthropic's events on their way to a client of its own dialect."""

import json
from collections.abc import Mapping

import pytest

from adapters.outbound.providers.anthropic.native_stream import NativeEvents
from domain.chat import Chunk, Usage
from domain.failure import FailureKind, ProviderFailed
from domain.redaction import Redactor

START = {"type": "message_start", "message": {"id": "msg_1", "model": "claude", "usage": {"input_tokens": 9}}}
END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}}
DELTA = b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\\u00e9"}}   '


def relayed(*events: bytes | Mapping[str, object]) -> list[Chunk]:
    relay = NativeEvents("mine", Redactor())
    data = [event if isinstance(event, bytes) else json.dumps(event).encode() for event in events]
    return [chunk for one in data for chunk in relay.chunks(one)]


def test_pieces_pass_untouched() -> None:
    assert relayed(DELTA) == [Chunk(DELTA)]


def test_the_start_has_the_clients_name_for_the_model() -> None:
    told = json.loads(relayed(START)[0].data)
    assert told["message"] == {"id": "msg_1", "model": "mine", "usage": {"input_tokens": 9}}


def test_usage_of_start_and_end_is_told_once() -> None:
    end = json.dumps(END).encode()
    chunks = relayed(START, DELTA, end, end, {"type": "message_stop"})
    assert [chunk.usage for chunk in chunks] == [None, None, Usage(9, 4), None, None]
    assert chunks[2].data == end


def test_only_output_and_the_end_are_content() -> None:
    events: list[bytes | Mapping[str, object]] = [
        START,
        {"type": "ping"},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        DELTA,
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "t", "name": "n"}},
        END,
        {"type": "message_stop"},
    ]
    chunks = relayed(*events)
    assert [chunk.content for chunk in chunks] == [False, False, False, True, False, True, True, False]
    assert all(chunk.visible for chunk in chunks)


def test_the_stream_is_complete_with_its_stop() -> None:
    relay = NativeEvents("mine", Redactor())
    relay.chunks(DELTA)
    assert not relay.is_complete
    relay.chunks(b'{"type": "message_stop"}')
    assert relay.is_complete


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (b'{"type":"error","error":{"type":"overloaded_error","message":"busy"}}', FailureKind.SERVER_ERROR),
        (b'{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}', FailureKind.RATE_LIMITED),
        (b'{"type":"content_block_delta","index":0,"del', FailureKind.BROKEN_REPLY),
        (b"[1]", FailureKind.BROKEN_REPLY),
        (b'{"type":"message_start"}', FailureKind.BROKEN_REPLY),
    ],
)
def test_errors_and_nonsense_fail_the_stream(event: bytes, kind: FailureKind) -> None:
    with pytest.raises(ProviderFailed) as raised:
        relayed(event)
    assert raised.value.failure.kind is kind
