"""The parts of a message, as Google writes them."""

import mimetypes
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from adapters.outbound.providers.gemini.model import GeminiModel

_DATA_URL: Final = re.compile(
    r"data:([a-z]+/[a-z0-9.+-]+)(?:;[a-z0-9-]+=[^;,]*)*;base64,(.*)", re.DOTALL | re.IGNORECASE
)
_AUDIO: Final = {"wav": "audio/wav", "mp3": "audio/mp3"}
_SCHEMES: Final = frozenset({"http", "https", "gs"})

Part = dict[str, Any]
Fields = Mapping[str, Any]


def parts_of(content: object, model: GeminiModel) -> Iterator[Part]:
    """The parts of a message's content. Empty texts, which Google refuses, are left out."""
    if isinstance(content, str):
        if content:
            yield {"text": content}
        return
    for part in content if isinstance(content, list) else ():
        translated = part_of(part, model)
        if translated != {"text": ""}:
            yield translated


def texts_of(content: object, model: GeminiModel, where: str) -> Iterator[Part]:
    """The same where only text may stand."""
    for part in parts_of(content, model):
        if "text" not in part:
            raise model.unsupported_value(where, "takes nothing but text there")
        yield part


def part_of(part: object, model: GeminiModel) -> Part:
    """One part. `detail` of an image is a hint that has no equal, and `cache_control` is not Google's."""
    match part:
        case {"type": "text", "text": str(text)} | {"type": "refusal", "refusal": str(text)}:
            return {"text": text}
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            return _media(url, "messages[].content[].image_url.url", model)
        case {"type": "input_audio", "input_audio": {"data": str(data), "format": str(kind)}} if kind in _AUDIO:
            return {"inlineData": {"mimeType": _AUDIO[kind], "data": data}}
        case {"type": "file", "file": {"file_data": str(data)}} if _DATA_URL.fullmatch(data):
            return _media(data, "messages[].content[].file.file_data", model)
        case {"type": "file"}:
            raise model.unsupported_value("messages[].content[].file", "takes files as data URLs in file_data only")
        case {"type": str(kind)}:
            raise model.unsupported(f"messages[].content[].type {kind!r}")
        case _:
            raise model.unsupported("messages[].content[]")


def _media(url: str, field: str, model: GeminiModel) -> Part:
    inline = _DATA_URL.fullmatch(url)
    if inline is not None:
        return {"inlineData": {"mimeType": inline[1].lower(), "data": inline[2]}}
    split = urlsplit(url)
    if split.scheme.lower() not in _SCHEMES:
        raise model.unsupported_value(field, "takes http, https, gs and base64 data URLs")
    kind = mimetypes.guess_type(split.path)[0]
    if kind is not None:
        return {"fileData": {"fileUri": url, "mimeType": kind}}
    if model.provider == "vertex":
        raise model.unsupported_value(field, "must know an image's type: end its URL as .png, .jpg or .webp do")
    return {"fileData": {"fileUri": url}}
