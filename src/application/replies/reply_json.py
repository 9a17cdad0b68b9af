"""JSON of replies and chunks, read and written so that nothing changes unnoticed."""

import json
from typing import Final, NoReturn


def parse(data: bytes) -> dict[str, object]:
    """The JSON object in `data`.

    Raises:
        ValueError: It is no JSON object in UTF-8 (NaN and Infinity are no JSON), or too deeply nested.
    """
    try:
        document = _DECODER.decode(data.decode())
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error
    if type(document) is not dict:
        raise ValueError("expected a JSON object")
    return document


def to_json(value: object) -> bytes:
    """Compact JSON in UTF-8; in ASCII where a lone surrogate is in it, which only an escape can carry.

    Raises:
        ValueError: A number is out of the range of floats, or it is too deeply nested.
    """
    try:
        return _ENCODER.encode(value).encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


# Made once: `json.loads` and `json.dumps` make new ones for each call that has options.
_DECODER: Final = json.JSONDecoder(parse_constant=_refuse)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
