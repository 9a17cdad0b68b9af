"""How long a recording is, as far as its first bytes and its size tell."""

from typing import Final

from domain.form import FormFile

HEAD_BYTES: Final = 64

# 32 kbit/s, as speech is usually kept; Opus goes down to 6 kbit/s.
_BYTES_A_SECOND, _LEAST_BYTES_A_SECOND = 4_000, 750
_MOST_BYTES_A_SECOND: Final = 192_000 * 8 * 4
_FORMAT: Final = slice(12, 16)
_SAMPLES_A_SECOND: Final = slice(24, 28)
_BYTES_A_SAMPLE: Final = slice(32, 34)


def expected_seconds(file: FormFile) -> int:
    """A good guess, rounded up: a file in WAV says it itself and may be fifty times as large as others of its length.

    Its rate is worked out from what a decoder goes by: a file that lies about it sounds wrong.
    """
    head = file.head
    rate = _BYTES_A_SECOND
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE" and head[_FORMAT] == b"fmt ":
        told = _number(head[_SAMPLES_A_SECOND]) * _number(head[_BYTES_A_SAMPLE])
        if _LEAST_BYTES_A_SECOND <= told <= _MOST_BYTES_A_SECOND:
            rate = told
    return -(-file.content.size_bytes // rate)


def most_seconds(file: FormFile) -> int:
    """A bound, whatever the file says of itself."""
    return -(-file.content.size_bytes // _LEAST_BYTES_A_SECOND)


def _number(field: bytes) -> int:
    return int.from_bytes(field, "little")
