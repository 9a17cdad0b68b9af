"""The parts of a message as Converse's content blocks."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from adapters.outbound.providers.bedrock.models import NAME
from domain.failure import Failure, FailureKind, ProviderFailed

Block = dict[str, Any]
Fields = Mapping[str, Any]

_DATA_URL: Final = re.compile(
    r"data:([a-z]+/[a-z0-9.+-]+)(?:;[a-z0-9-]+=[^;,]*)*;base64,(.*)", re.DOTALL | re.IGNORECASE
)
_IMAGES: Final = MappingProxyType(
    {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
)
_DOCUMENTS: Final = MappingProxyType(
    {
        "application/pdf": "pdf",
        "text/csv": "csv",
        "application/msword": "doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
        "application/vnd.ms-excel": "xls",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
        "text/html": "html",
        "text/plain": "txt",
        "text/markdown": "md",
    }
)
_AUDIO: Final = frozenset({"mp3", "wav"})
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9\-()\[\]]+")
_MOST_OF_A_NAME: Final = 180
_TTLS: Final = ("5m", "1h")


class ContentBlocks:
    """Of one conversation: names of documents must differ in all of it."""

    __slots__ = ("_caches", "_names")

    def __init__(self, *, caches: bool) -> None:
        """`caches`: the model knows cache points; for others the wish for them is left out."""
        self._caches = caches
        self._names: set[str] = set()

    def of(self, content: object) -> Iterator[Block]:
        """The blocks of a message's content. Blank texts, which Bedrock refuses, are left out.

        Raises:
            ProviderFailed: UNSUPPORTED, where a part can't be said.
        """
        if isinstance(content, str):
            content = [{"type": "text", "text": content}]
        for part in content if isinstance(content, list) else ():
            block = self._block(part)
            if "text" not in block or block["text"].strip():
                yield block
            yield from self.cache_point(part)

    def cache_point(self, marked: Fields) -> Iterator[Block]:
        """What caches all before it, where `marked` has a `cache_control`."""
        control = marked.get("cache_control")
        if not self._caches or not isinstance(control, dict):
            return
        point = {"type": "default"}
        if control.get("ttl") in _TTLS:
            point["ttl"] = control["ttl"]
        yield {"cachePoint": point}

    def _block(self, part: Fields) -> Block:
        match part:
            case {"type": "text", "text": str(text)} | {"type": "refusal", "refusal": str(text)}:
                return {"text": text}
            case {"type": "image_url", "image_url": {"url": str(url)}}:
                return _image(url)
            case {"type": "file", "file": {"file_data": str(data), **more}}:
                return self._document(data, more.get("filename"))
            case {"type": "input_audio", "input_audio": {"data": str(data), "format": str(kind)}} if kind in _AUDIO:
                return {"audio": {"format": kind, "source": {"bytes": data}}}
            case _:
                raise unsayable(f"parts of the type {part.get('type')!r} as this one")

    def _document(self, data: str, filename: object) -> Block:
        inline = _DATA_URL.fullmatch(data)
        kind = _DOCUMENTS.get(inline[1].lower()) if inline else None
        if inline is None or kind is None:
            raise unsayable(
                "files but documents as base64 in a data: URL (pdf, csv, doc, docx, xls, xlsx, html, txt, md)"
            )
        return {"document": {"format": kind, "name": self._name(filename), "source": {"bytes": inline[2]}}}

    def _name(self, filename: object) -> str:
        stem = filename.rpartition(".")[0] or filename if isinstance(filename, str) else ""
        name = plain = _NO_NAME.sub(" ", stem).strip()[:_MOST_OF_A_NAME] or "document"
        count = 1
        while name in self._names:
            count += 1
            name = f"{plain} {count}"
        self._names.add(name)
        return name


def unsayable(what: str) -> ProviderFailed:
    """A message holds what can't be passed on."""
    return ProviderFailed(Failure(FailureKind.UNSUPPORTED, f"{NAME} takes no {what}", param="messages"))


def _image(url: str) -> Block:
    inline = _DATA_URL.fullmatch(url)
    if inline is None:
        # Bedrock fetches from S3 alone, and would do it with the gateway's own credentials.
        raise unsayable("images by URL: send them as base64 in a data: URL")
    kind = _IMAGES.get(inline[1].lower())
    if kind is None:
        raise unsayable(f"images of the type {inline[1]!r}: send png, jpeg, gif or webp")
    return {"image": {"format": kind, "source": {"bytes": inline[2]}}}
