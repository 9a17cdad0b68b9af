from binascii import crc32

import pytest

from adapters.outbound.providers.bedrock.frames import EventFrames, Frame, FrameKind
from domain.failure import FailureKind, ProviderFailed
from tests.unit.providers.bedrock.hearing import chunks_of
from tests.wires.event_stream import error, event, exception, message

START = event("messageStart", {"role": "assistant"})
HELLO = event("contentBlockDelta", {"delta": {"text": "Hello"}, "contentBlockIndex": 0})
STOP = event("messageStop", {"stopReason": "end_turn"})
METADATA = event("metadata", {"usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}})


def test_event_has_its_name_and_its_payload() -> None:
    assert EventFrames().feed(STOP) == [Frame(FrameKind.EVENT, "messageStop", b'{"stopReason": "end_turn"}')]


def test_stream_is_complete_with_its_metadata_and_not_before() -> None:
    assert chunks_of([START, HELLO, STOP])[1] is False
    assert chunks_of([START, HELLO, STOP, METADATA])[1] is True


def test_stream_that_ends_after_the_message_is_complete_and_one_that_ends_in_it_is_not() -> None:
    assert chunks_of([START, HELLO, STOP], ends=True)[1] is True
    assert chunks_of([START, HELLO, STOP, METADATA[:20]], ends=True)[1] is True
    assert chunks_of([START, HELLO, STOP[:-1]], ends=True)[1] is False
    assert chunks_of([], ends=True)[1] is False


@pytest.mark.parametrize("at", range(len(HELLO)))
def test_every_damaged_byte_is_noticed_after_what_came_whole(at: int) -> None:
    damaged = bytearray(HELLO)
    damaged[at] ^= 0x01
    frames = EventFrames()
    first, *rest = frames.feed(START + bytes(damaged) + START)

    assert first.name == "messageStart"
    assert all(frame.kind is FrameKind.BROKEN for frame in rest)
    # A damaged length may be that of a longer message, for which the stream then ends too early.
    assert rest or at < 4


@pytest.mark.parametrize("length", [0, 15, (16 << 20) + 1])
def test_length_that_no_message_has_is_broken(length: int) -> None:
    with pytest.raises(ProviderFailed) as raised:
        chunks_of([length.to_bytes(4, "big") + HELLO[4:]])

    assert raised.value.failure.kind is FailureKind.BROKEN_REPLY


def test_headers_that_cannot_be_read_are_broken() -> None:
    odd = bytearray(message({":event-type": "x"}, b"{}"))
    odd[12 + 12] = 99  # a type of header that does not exist
    odd[-4:] = crc32(bytes(odd[:-4])).to_bytes(4, "big")

    assert [frame.kind for frame in EventFrames().feed(bytes(odd))] == [FrameKind.BROKEN]


def test_message_of_a_megabyte_in_small_reads_is_one() -> None:
    large = event("contentBlockDelta", {"delta": {"text": "é" * (1 << 20)}, "contentBlockIndex": 0})
    chunks, _ = chunks_of(large[at : at + 4096] for at in range(0, len(large), 4096))

    assert len(chunks) == 1


@pytest.mark.parametrize("payload", [b"nonsense", b"[]", b""])
def test_event_that_is_no_json_object_is_broken(payload: bytes) -> None:
    with pytest.raises(ProviderFailed) as raised:
        chunks_of([message({":event-type": "messageStop", ":message-type": "event"}, payload)])

    assert raised.value.failure.kind is FailureKind.BROKEN_REPLY


def test_unknown_events_and_unknown_deltas_mean_nothing() -> None:
    odd = [
        event("newEvent", {"x": 1}),
        message({":message-type": "event", ":event-type": "initial-response"}, b""),
        message({}, b"x"),
        event("contentBlockDelta", {"delta": {"toolUse": {"input": "{}"}}, "contentBlockIndex": 7}),
        event("contentBlockDelta", {"delta": None}),
        event("contentBlockStart", {"start": {"image": {"format": "png"}}, "contentBlockIndex": 0}),
        event("contentBlockStop", {"contentBlockIndex": 9}),
    ]

    assert chunks_of(odd) == ([], False)


@pytest.mark.parametrize(
    ("name", "kind", "status"),
    [
        ("throttlingException", FailureKind.RATE_LIMITED, 429),
        ("modelStreamErrorException", FailureKind.SERVER_ERROR, 500),
        ("internalServerException", FailureKind.SERVER_ERROR, 500),
        ("serviceUnavailableException", FailureKind.SERVER_ERROR, 503),
        ("validationException", FailureKind.REQUEST_REFUSED, 400),
        ("newException", FailureKind.SERVER_ERROR, 500),
    ],
)
def test_exception_in_the_stream_is_its_failure(name: str, kind: FailureKind, status: int) -> None:
    with pytest.raises(ProviderFailed) as raised:
        chunks_of([START, HELLO, exception(name, {"message": "no more"})])

    failure = raised.value.failure
    assert (failure.kind, failure.status, failure.message) == (kind, status, "no more")
    assert failure.code == name[0].upper() + name[1:]


def test_error_that_is_in_no_model_is_a_failure_with_its_words() -> None:
    with pytest.raises(ProviderFailed) as raised:
        chunks_of([error("InternalFailure", "gone")])

    assert (raised.value.failure.kind, raised.value.failure.message) == (FailureKind.SERVER_ERROR, "gone")
