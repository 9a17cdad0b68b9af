"""What was kept on disks and in stores, and what operators write: journals, records, the cache, YAML, prices."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from adapters.outbound.pricing.price_fields import PriceListError
from adapters.outbound.pricing.price_list_file import read_price_list
from adapters.outbound.system.journal_file import JournalFile
from adapters.outbound.system.journal_frames import FrameKind, frame, frames
from application.caching.frames import pack, pack_all, unpack, unpack_all
from application.caching.packing import Packing
from application.caching.whole_frames import pack_whole, unpack_whole
from application.replies.assemblies import assembly_for
from application.replies.replay import replay
from bootstrap.config_file import parse_document
from bootstrap.configuration_error import ConfigurationError
from bootstrap.settings.loading import parse_settings
from domain.chat import Chunk, Endpoint, Reply, Usage
from domain.identifiers import RequestId
from domain.usage_record import UsageIntent, UsageRecord
from tests.fuzz.samples import wholes
from tests.fuzz.target import Target, every_way, finished, way

_INTENT: Final = UsageIntent(RequestId("r"), 1, 5, "m", "a", "POST", "/v1/chat/completions", tags=("eu",))
_CHUNKS: Final = (Chunk(b"{}", usage=Usage(1, 2)), Chunk(b"", content=False, visible=False))
_REPLY: Final = Reply(b'{"a":1}', Usage(3, 4, 1))
_REPLAYED: Final = (Endpoint.CHAT, Endpoint.COMPLETIONS, Endpoint.MESSAGES, Endpoint.RESPONSES)
_YAML: Final = (
    (
        b"mode: lite\nauth: {master_key: '${K:-sk-0123456789abcdef}'}\nmodel_list:\n  - model_name: gpt-4\n    "
        b"provider: {type: openai, model: gpt-4o, api_key: a}\n    weight: 3\n    rpm: 500\n"
    ),
    b"router:\n  routing_strategy: weighted-round-robin\n  model_fallbacks: {a: b}\n  timeout: 30s\n",
    b"a: &x [1, 0b1, 1_0, 1:30, 2001-01-01, !!binary aGk=, !!set {a}]\n<<: {b: *x}\n? [c]\n: d\n",
)
_PRICES: Final = (
    b'{"dated":"2026-01-01","providers":{"openai":{"dated":"2026-01-02","source":"s","models":{"gpt-4o":{"input":2.5,"output":'
    b'10,"cached_input":1.25},"o":[{"from":"2026-01-01","input":1,"output":2},{"from":"2026-02-01","input":1,"output":2}]}}}}'
)


def _journal_frames(data: bytes) -> None:
    end = 0
    for one in frames(data):
        assert one.end > end
        if one.kind in set(FrameKind):
            written = frame(FrameKind(one.kind), one.id, one.body)
            assert next(frames(written))[:3] == one[:3]
        end = one.end
    assert end <= len(data)


def _journal_file(data: bytes) -> None:
    """Lines as sound frames, then whatever is left as it is: a file that a dead process has left."""
    *lines, rest = data.split(b"\n")
    sound = b"".join(frame(FrameKind(1 + len(line) % 3), line[:4].decode("latin-1"), line[4:]) for line in lines)
    path = _folder() / "usage-1-1.journal"
    path.write_bytes(sound + rest)
    file = JournalFile.adopt(path)
    assert file is not None
    try:
        entries = list(file.hand_out(100))
        assert len(entries) <= 100
        assert {entry.id for entry in entries} == {entry.id for entry in file.hand_out(100)}
        file.mark([entry.id for entry in entries])
        assert not list(file.hand_out(100))
    finally:
        file.remove()


_FOLDERS: Final[list[tempfile.TemporaryDirectory[str]]] = []


def _folder() -> Path:
    if not _FOLDERS:
        _FOLDERS.append(tempfile.TemporaryDirectory(prefix="fuzzed-"))
    return Path(_FOLDERS[0].name)


def _records(data: bytes) -> None:
    for kind in (UsageRecord, UsageIntent):
        try:
            record = kind.from_bytes(data)
        except ValueError:
            continue
        assert kind.from_bytes(record.to_bytes()) == record


def _cache_frames(data: bytes) -> None:
    _round_trip(unpack, pack, data)
    _round_trip(unpack_all, pack_all, data)
    try:
        reply = unpack_whole([b"\x80" + data])
    except ValueError:
        return
    assert unpack_whole(pack_whole(reply)) == reply


def _round_trip(read: Callable[[bytes], Any], write: Callable[[Any], bytes], data: bytes) -> None:
    try:
        found = read(data)
    except ValueError:
        return
    assert read(write(found)) == found


def _packed(data: bytes) -> None:
    packing = Packing()
    try:
        batches = finished(packing.unpack(b"\0\0" + data[2:]))
    except ValueError:
        return
    assert finished(packing.unpack(finished(packing.pack(batches)))) == batches


def _replays(data: bytes) -> None:
    """A stored reply as a stream: what that stream amounts to is replayed in the same words, from then on."""
    endpoint, body = way(data, _REPLAYED)
    try:
        first = _assembled(endpoint, replay(endpoint, body, Usage(1, 2), include_usage=True))
    except ValueError:
        return
    if first is None:
        return
    batches = replay(endpoint, first.body, first.usage, include_usage=True)
    second = _assembled(endpoint, batches)
    assert second is not None
    assert _said(replay(endpoint, second.body, second.usage, include_usage=True)) == _said(batches)


def _assembled(endpoint: Endpoint, batches: list[tuple[Chunk, ...]]) -> Reply | None:
    assembly = assembly_for(endpoint, 1 << 20)
    for batch in batches:
        assembly.add(batch)
    return assembly.reply()


def _said(batches: list[tuple[Chunk, ...]]) -> list[str]:
    """Without the order of members, which does not survive."""
    return [json.dumps(json.loads(chunk.data), sort_keys=True) for batch in batches for chunk in batch]


def _stream(data: bytes) -> None:
    """Events of a provider, put together for the cache."""
    endpoint, body = way(data, _REPLAYED)
    assembly = assembly_for(endpoint, 1 << 16)
    for line in body.split(b"\n"):
        assembly.add((Chunk(line),))
    reply = assembly.reply()
    if reply is not None:
        assert isinstance(json.loads(reply.body), dict)


def _configuration(data: bytes) -> None:
    try:
        document = parse_document(data.decode("utf-8", "replace"), "it")
        parse_settings(document, {"K": "sk-0123456789abcdef"})
    except ConfigurationError as error:
        assert str(error)


def _prices(data: bytes) -> None:
    path = _folder() / "prices.json"
    path.write_bytes(data)
    try:
        read_price_list(path)
    except PriceListError as error:
        assert "\n" not in str(error)


def _seeds_of_journals() -> list[bytes]:
    intent, outcome = _INTENT.to_bytes(), _INTENT.unresolved().to_bytes()
    return [
        frame(FrameKind.INTENT, "r:1", intent)
        + frame(FrameKind.OUTCOME, "r:1", outcome)
        + frame(FrameKind.SETTLED, "r:1")
    ]


def _seeds_of_files() -> list[bytes]:
    intent, outcome = _INTENT.to_bytes(), _INTENT.unresolved().to_bytes()
    return [b"r:1 " + intent + b"\nr:2 " + intent + b" \nr:1 " + outcome + b"  \nr:3", *_seeds_of_journals()]


def _seeds_of_streams() -> list[bytes]:
    lines = [
        (
            b'{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant",'
            b'"content":"a"},"finish_reason":null}]}\n{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":'
            b'[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"{}"}}]},"finish_reason":'
            b'"stop"}],"usage":{"prompt_tokens":1}}'
        ),
        (
            b'{"type":"message_start","message":{"content":[]}}\n{"type":"content_block_start","index":0,"content_block":{"type":'
            b'"text","text":""}}\n{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}\n{"type":'
            b'"content_block_stop","index":0}\n{"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n{"type":"message_stop"}'
        ),
        b'{"type":"response.completed","response":{"status":"completed","output":[{"type":"message","content":[]}]}}',
    ]
    return every_way(_REPLAYED, lines)


KEPT_TARGETS: Final[dict[str, Target]] = {
    "journal-frames": Target(_journal_frames, _seeds_of_journals, (), 768),
    "journal-file": Target(_journal_file, _seeds_of_files, (), 1536),
    "usage-records": Target(_records, lambda: [_INTENT.to_bytes(), _INTENT.unresolved().to_bytes()], (), 768),
    "cache-frames": Target(
        _cache_frames, lambda: [pack(_CHUNKS), pack_all([_CHUNKS]), pack_whole(_REPLY)[0][1:]], (), 384
    ),
    "cache-packed": Target(_packed, lambda: [finished(Packing().pack([_CHUNKS]))], (), 384),
    "cache-replay": Target(_replays, lambda: every_way(_REPLAYED, wholes("openai") + wholes("anthropic")), (), 1024),
    "cache-assembly": Target(_stream, _seeds_of_streams, (), 1024),
    "configuration": Target(
        _configuration, lambda: _YAML, (b"${", b"}", b"!!", b"<<: ", b"&x", b"*x", b"? ", b"\n  - "), 512
    ),
    "price-list": Target(_prices, lambda: [_PRICES], (b"1e-9", b"2026-01-01", b"null"), 512),
}
