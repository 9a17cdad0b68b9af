"""What cuts, checks and changes bytes: events, blocks, frames, JSON, splices, usage, waits."""

import json
import math
import re
from typing import Any, Final

import httpx

from adapters.inbound.http.body import MAX_DEPTH, parse_object
from adapters.inbound.http.errors import InvalidJson
from adapters.inbound.http.responses_framing import responses_framing
from adapters.inbound.http.sse import OPENAI, named_events
from adapters.outbound.providers.bedrock.frames import EventFrames, Frame, FrameKind
from adapters.outbound.providers.forwarding.event_blocks import EventBlocks, data_of
from adapters.outbound.providers.retry_after import go_duration_us, retry_after_us
from adapters.outbound.providers.splicing import to_json, with_first_member, with_member, with_model
from adapters.outbound.providers.sse import SseParser
from adapters.outbound.providers.usage import parse_usage
from application.errors import InvalidRequest
from domain.chat import Chunk
from tests.fuzz.samples import streams, wholes
from tests.fuzz.target import Target, pieces
from tests.wires.event_stream import event

_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_WEEK_US: Final = 7 * 24 * 3_600_000_000
# More digits than Python reads as a number. (What is in `data` must be read, to be compared.)
_LONG_NUMBER: Final = b'{"type":"a.b","sequence_number":' + b"9" * 5000 + b"}"
_NEW: Final = 'a "new" name'
_TOKENS: Final = (b"data: ", b"data:", b"event: ", b"id", b": ", b"\r\n", b"\n\n", b"\r\r", b"[DONE]", b"\xef\xbb\xbf")
_DATES: Final = (b"Fri, 31 Dec 1999 23:59:59 GMT", b"Sat, 01 Jan 2000 00:00:59 GMT", b"1 Jan 0001 00:00:00 +2359")


def _sse(data: bytes) -> None:
    parsers = SseParser(), SseParser()
    whole = [*parsers[0].feed(data), *parsers[0].finish()]
    assert whole == [one for read in pieces(data) for one in parsers[1].feed(read)] + parsers[1].finish()
    assert whole == _by_the_letter(data)


def _by_the_letter(data: bytes) -> list[bytes]:
    """WHATWG HTML, section 9.2.6, but that an event at the end needs no blank line, and that empty data is none."""
    events: list[bytes] = []
    held: list[bytes] = []
    for line in [*_LINE_END.split(data.removeprefix(b"\xef\xbb\xbf")), b""]:
        name, colon, value = line.partition(b":")
        if not line:
            events += [b"\n".join(held)] if any(held) or len(held) > 1 else []
            held = []
        elif name == b"data":
            held.append(value.removeprefix(b" ") if colon else b"")
    return events


def _client_events(data: bytes) -> None:
    """An event for clients holds what the provider's document holds, and nothing else."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(document, dict):
        return
    for written in (OPENAI.batch((Chunk(data),)), named_events((Chunk(data),))):
        (told,) = _by_the_letter(written.removesuffix(b"\n\n"))
        assert json.dumps(json.loads(told)) == json.dumps(document)
    framing = responses_framing()
    framing.batch((Chunk(data), Chunk(_LONG_NUMBER)))
    assert len(_by_the_letter(framing.error(InvalidRequest("no")).removesuffix(b"\n\n"))) == 1


def _blocks(data: bytes) -> None:
    cutters = EventBlocks(), EventBlocks()
    whole = [*cutters[0].feed(data), *cutters[0].finish()]
    assert whole == [one for read in pieces(data) for one in cutters[1].feed(read)] + cutters[1].finish()
    assert b"".join(whole).startswith(data.rstrip()) or not data.strip()
    for block in whole:
        assert len(data_of(block)) <= len(block)


def _frames(data: bytes) -> None:
    assert _until_broken([data]) == _until_broken(pieces(data))


def _until_broken(reads: list[bytes]) -> list[Frame]:
    """Nobody reads on after a broken one; what is wrong with it depends on how much was there."""
    parser, told = EventFrames(), list[Frame]()
    for frame in (one for read in reads for one in parser.feed(read)):
        if frame.kind is FrameKind.BROKEN:
            return [*told, Frame(FrameKind.BROKEN)]
        told.append(frame)
    return told


def _request_json(data: bytes) -> None:
    try:
        document = parse_object(data)
    except InvalidJson:
        return
    assert _same(json.loads(data), document)
    assert _depth(document) <= MAX_DEPTH


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, float):
        return isinstance(theirs, float) and math.isfinite(theirs) and repr(ours) == repr(theirs)
    return type(ours) is type(theirs) and bool(ours == theirs)


def _depth(value: object) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if children is None else 1 + max(map(_depth, children), default=0)


def _splicing(data: bytes) -> None:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(document, dict):
        return
    if "model" in document:
        _equal(with_model(data, document, _NEW), {**document, "model": _NEW})
    else:
        assert json.loads(with_model(data, document, _NEW)) is not None
        if document:
            _equal(with_first_member(data, "model", to_json(_NEW)), {"model": _NEW, **document})
    for name in list(document)[:3]:
        _equal(with_member(data, name, b"[1]"), {**document, name: [1]})


def _equal(body: bytes, expected: dict[str, Any]) -> None:
    # NaN is equal to nothing, and the order of members stays.
    assert json.dumps(json.loads(body)) == json.dumps(expected)


def _usage(data: bytes) -> None:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return
    usage = parse_usage(document)
    if usage is not None:
        assert all(type(count) is int for count in (usage.input_tokens, usage.output_tokens))
        assert 0 <= usage.cached_input_tokens <= usage.input_tokens <= 2**53
        assert 0 <= usage.output_tokens <= 2**53


def _waits(data: bytes) -> None:
    first, _, rest = data.partition(b"\n")
    second, _, third = rest.partition(b"\n")
    pairs = [
        (b"retry-after", first),
        (b"retry-after-ms", second),
        (b"date", third),
        (b"x-ratelimit-reset-tokens", second),
    ]
    for status in (429, 503):
        wait_us = retry_after_us(status, httpx.Headers(pairs))
        assert wait_us is None or (type(wait_us) is int and 0 <= wait_us <= _WEEK_US)
    span_us = go_duration_us(data.decode("latin-1"))
    assert span_us is None or span_us >= 0


def _seeds_of_requests() -> list[bytes]:
    return [
        b'{"model":"m","messages":[{"role":"user","content":"Hi"}]}',
        b'{"a":[1,2.5e3,-0.0,true,false,null,"\\u00e9\\ud83d\\ude00"],"model" : "m"}',
        b"\xef\xbb\xbf" + b'{"model":"m"}',
        b'{"mod\\u0065l":"a","model":"b","x":"\\"model\\":\\"c\\""}',
        b'{"a":' + b"[" * 63 + b"]" * 63 + b"}",
    ]


def _seeds_of_usage() -> list[bytes]:
    return [b'{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6,"prompt_tokens_details":{"cached_tokens":1}}']


def _seeds_of_waits() -> list[bytes]:
    return [b"3\n1500\n", b"\n6m0s\n", b"\n\n6m0.5s", *(b"%b\n\n%b" % (date, _DATES[0]) for date in _DATES)]


def _seeds_of_frames() -> list[bytes]:
    return [event("messageStart", {"role": "assistant"}) + event("messageStop", {"stopReason": "end_turn"})]


WIRE_TARGETS: Final[dict[str, Target]] = {
    "sse": Target(_sse, lambda: streams("openai")[:1] + streams("anthropic")[:1], _TOKENS, 512),
    "client-events": Target(
        _client_events, lambda: [*wholes("openai")[:1], b'{"type":"a.b","sequence_number":3}'], (), 512
    ),
    "event-blocks": Target(_blocks, lambda: streams("openai")[:1], _TOKENS, 512),
    "bedrock-frames": Target(_frames, _seeds_of_frames, (), 512),
    "request-json": Target(_request_json, _seeds_of_requests, (), 512),
    "splicing": Target(_splicing, lambda: _seeds_of_requests() + wholes("openai")[:1], (b'"model"', b"\\u006d"), 512),
    "usage": Target(_usage, _seeds_of_usage, (b"prompt_tokens", b"cached_tokens"), 256),
    "retry-after": Target(_waits, _seeds_of_waits, (b"GMT", b"ms", b"h", b"+0000", b"-2400"), 128),
}
