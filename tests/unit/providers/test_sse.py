from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.providers.sse import EventTooLarge, SseParser

STREAM = (
    b"\xef\xbb\xbf: opening comment\n\n"
    b'data: {"a":"\xe2\x82\xac"}\n\n'
    b"event: ping\r\nid: 7\r\ndata:no space\r\n\r\n"
    b"data: one\rdata: two\r\r"
    b"data: three\r\ndata: four\r\n\r\n"
    b": OPENROUTER PROCESSING\n\n"
    b"retry: 10\ndata: last\n\n"
    b"data: [DONE]\n\n"
)
EVENTS = [b'{"a":"\xe2\x82\xac"}', b"no space", b"one\ntwo", b"three\nfour", b"last", b"[DONE]"]


def feed_all(pieces: list[bytes], parser: SseParser | None = None) -> list[bytes]:
    parser = parser or SseParser()
    return [event for piece in pieces for event in parser.feed(piece)] + parser.finish()


def test_a_whole_stream_gives_its_events() -> None:
    assert feed_all([STREAM]) == EVENTS


def test_a_stream_byte_by_byte_gives_the_same_events() -> None:
    assert feed_all([STREAM[i : i + 1] for i in range(len(STREAM))]) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_a_stream_cut_anywhere_gives_the_same_events(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    assert feed_all([STREAM[a:b] for a, b in pairwise(edges)]) == EVENTS


def test_several_events_of_one_read_come_together() -> None:
    assert SseParser().feed(b"data: a\n\ndata: b\n\ndata: c\n\n") == [b"a", b"b", b"c"]


def test_a_read_with_whole_events_and_a_rest_keeps_the_rest() -> None:
    parser = SseParser()
    assert parser.feed(b"data: a\n\ndata: b") == [b"a"]
    assert parser.feed(b"c\n\ndata: d\n\n") == [b"bc", b"d"]


def test_an_unusual_event_between_usual_ones_keeps_its_place() -> None:
    assert SseParser().feed(b"data: a\n\nevent: x\ndata: b\n\ndata: c\ndata: d\n\n") == [b"a", b"b", b"c\nd"]


def test_an_event_of_a_megabyte_arrives_whole() -> None:
    line = b"x" * (1 << 20)
    wire = b"data: " + line + b"\n\n"
    assert feed_all([wire[i : i + 4096] for i in range(0, len(wire), 4096)]) == [line]


def test_an_event_that_never_ends_is_refused() -> None:
    parser = SseParser(max_event_bytes=100)
    with pytest.raises(EventTooLarge):
        feed_all([b"data: " + b"x" * 40] + [b"x" * 40] * 3, parser)


def test_an_event_of_too_many_lines_is_refused() -> None:
    with pytest.raises(EventTooLarge):
        feed_all([b"data: xxxxxxxx\n"] * 20, SseParser(max_event_bytes=100))


def test_an_event_too_large_for_one_read_is_refused() -> None:
    with pytest.raises(EventTooLarge):
        SseParser(max_event_bytes=100).feed(b"data: " + b"x" * 200 + b"\n\n")


def test_an_event_without_its_blank_line_ends_with_the_stream() -> None:
    assert feed_all([b"data: [DONE]"]) == [b"[DONE]"]
    assert feed_all([b"data: [DONE]\n"]) == [b"[DONE]"]


def test_events_without_data_are_nothing() -> None:
    assert feed_all([b"event: ping\n\n", b"data:\n\n", b"data\n\n", b"\n\n\n"]) == []


def test_an_event_of_empty_data_is_nothing_wherever_a_read_begins() -> None:
    assert feed_all([b"data: \n\ndata: a\n\n"]) == [b"a"]
    assert feed_all([b": b\n\ndata: \n\ndata: a\n\n"]) == [b"a"]


def test_a_byte_order_mark_behind_an_event_is_no_beginning() -> None:
    parser = SseParser()

    assert parser.feed(b"data: 1\n\n\n\xef\xbb\xbfdata: 2\n\n") == [b"1"]
