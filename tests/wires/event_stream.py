"""AWS's event stream, written by its specification ("vnd.amazon.eventstream"): string headers alone."""

import json
import struct
from binascii import crc32
from collections.abc import Mapping

_STRING = 7


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Lengths and their checksum, headers, payload, and the checksum of all."""
    written = b"".join(_header(name, value) for name, value in headers.items())
    lengths = struct.pack("!II", 16 + len(written) + len(payload), len(written))
    start = lengths + struct.pack("!I", crc32(lengths)) + written + payload
    return start + struct.pack("!I", crc32(start))


def event(name: str, document: Mapping[str, object]) -> bytes:
    """An event with a JSON payload."""
    payload = json.dumps(document, ensure_ascii=False).encode()
    return message({":event-type": name, ":content-type": "application/json", ":message-type": "event"}, payload)


def exception(name: str, document: Mapping[str, object]) -> bytes:
    """An exception of the service model."""
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return message(headers, json.dumps(document).encode())


def error(code: str, words: str) -> bytes:
    """An error that is in no model."""
    return message({":error-code": code, ":error-message": words, ":message-type": "error"}, b"")


def _header(name: str, value: str) -> bytes:
    text = value.encode()
    return struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", _STRING, len(text)) + text
