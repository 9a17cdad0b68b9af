"""The parts of a message as Anthropic's content blocks."""

import base64
from collections.abc import Iterator
from typing import Any, Final

from adapters.outbound.providers.dialect import Fields
from adapters.outbound.providers.failures import unsupported
from domain.failure import Failure, FailureKind, ProviderFailed

NAME: Final = "anthropic"

Block = dict[str, Any]

_IMAGES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_PDF: Final = "application/pdf"
_TEXT: Final = "text/plain"
_IMAGE_FIELD: Final = "messages[].content[].image_url"
_FILE_FIELD: Final = "messages[].content[].file"


def blocks_of(content: object, *, drop_params: bool = False) -> Iterator[Block]:
    """The blocks of a message's content. Texts of nothing but white space, which Anthropic refuses, are left out.

    Raises:
        ProviderFailed: UNSUPPORTED: a part has no equivalent. Content is never dropped.
    """
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    for part in content if isinstance(content, list) else ():
        block = _block(part, drop_params=drop_params)
        if block["type"] != "text" or block["text"].strip():
            yield marked(block, part)


def texts_of(content: object) -> Iterator[Block]:
    """The same where only text can stand."""
    for block in blocks_of(content):
        if block["type"] != "text":
            raise unsupported(f"messages[].content[].type {block['type']!r}", NAME)
        yield block


def marked(block: Block, part: Fields) -> Block:
    """The block with the part's mark for Anthropic's prompt cache, where that has one."""
    if isinstance(mark := part.get("cache_control"), dict):
        block["cache_control"] = mark
    return block


def refused(message: str, field: str) -> ProviderFailed:
    """The client's request makes no sense, whichever provider gets it."""
    return ProviderFailed(Failure(FailureKind.REQUEST_REFUSED, message, status=400, param=field, unsent=True))


def _block(part: Fields, *, drop_params: bool) -> Block:
    match part:
        case {"type": "text", "text": str(text)} | {"type": "refusal", "refusal": str(text)}:
            return {"type": "text", "text": text}
        case {"type": "image_url", "image_url": {"url": str(url), **rest}}:
            # It always looks closely.
            if rest.get("detail") == "low" and not drop_params:
                raise unsupported(f"{_IMAGE_FIELD}.detail", NAME)
            return {"type": "image", "source": _image(url)}
        case {"type": "file", "file": {"file_data": str(data), **rest}}:
            block = {"type": "document", "source": _document(data)}
            return block | {"title": rest["filename"]} if isinstance(rest.get("filename"), str) else block
        case {"type": "file", "file": {"file_id": _}}:
            raise unsupported(f"{_FILE_FIELD}.file_id", NAME)
        case _:
            raise unsupported(f"messages[].content[].type {part.get('type')!r}", NAME)


def _image(url: str) -> Block:
    if _is_web(url):
        return {"type": "url", "url": url}
    media_type, data = _inline(url, f"{_IMAGE_FIELD}.url")
    if media_type not in _IMAGES:
        raise unsupported(f"{_IMAGE_FIELD}.url of {media_type}", NAME)
    return {"type": "base64", "media_type": media_type, "data": data}


def _document(file_data: str) -> Block:
    if _is_web(file_data):
        return {"type": "url", "url": file_data}
    media_type, data = _inline(file_data, f"{_FILE_FIELD}.file_data")
    match media_type:
        case "application/pdf":
            return {"type": "base64", "media_type": _PDF, "data": data}
        case "text/plain":
            return {"type": "text", "media_type": _TEXT, "data": _decoded(data)}
        case _:
            raise unsupported(f"{_FILE_FIELD}.file_data of {media_type}", NAME)


def _is_web(url: str) -> bool:
    return url[:8].lower().startswith(("https://", "http://"))


def _inline(url: str, field: str) -> tuple[str, str]:
    """Media type and base64 of a `data:` URL."""
    head, comma, data = url.partition(",")
    scheme, _, kind = head.partition(":")
    media_type, *parameters = kind.lower().split(";")
    if not comma or scheme.lower() != "data" or "base64" not in parameters:
        raise refused(f"expected '{field}' to be a web address or a data: URL in base64", field)
    return media_type, data


def _decoded(data: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode()
    except ValueError as error:
        field = f"{_FILE_FIELD}.file_data"
        raise refused(f"expected '{field}' to be UTF-8 text in base64", field) from error
