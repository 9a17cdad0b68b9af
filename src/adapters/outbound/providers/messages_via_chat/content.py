"""Content blocks as parts of a chat message."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from adapters.outbound.providers.chat_flavour import ChatFlavour
from adapters.outbound.providers.failures import unsupported
from domain.failure import Failure, FailureKind, ProviderFailed

Block = Mapping[str, Any]
Part = dict[str, Any]

CONTENT: Final = "messages[].content[]"
_PDF: Final = "application/pdf"


class Parts:
    """Makes parts for one kind of chat. `provider` is its name, for refusals."""

    def __init__(self, flavour: ChatFlavour, provider: str) -> None:
        self._flavour = flavour
        self._provider = provider

    def of(self, content: object, field: str = CONTENT) -> list[Part]:
        """The parts of what is a text or a list of blocks that stand for themselves.

        Raises:
            ProviderFailed: UNSUPPORTED, naming what has no equivalent. REQUEST_REFUSED: it is no such list.
        """
        return [part for block in blocks_of(content, field) for part in self._parts(block, field)]

    def texts(self, content: object, field: str) -> list[Part]:
        """The same where only texts can stand."""
        parts = self.of(content, field)
        for part in parts:
            if part["type"] != "text":
                raise unsupported(f"{field}.type {part['type']!r}", self._provider)
        return parts

    def marked(self, made: Part, block: Block) -> Part:
        """With the block's mark for a prompt cache, where this chat can carry that."""
        if self._flavour.marks and isinstance(mark := block.get("cache_control"), dict):
            made["cache_control"] = mark
        return made

    def has_no(self, field: str) -> ProviderFailed:
        """The refusal of what chat cannot say."""
        return unsupported(field, self._provider)

    def _parts(self, block: Block, field: str) -> Iterator[Part]:
        match block:
            case {"type": "text", "text": str(text)}:
                yield self.marked({"type": "text", "text": text}, block)
            case {"type": "image", "source": dict(source)}:
                url = self._image_url(source, field)
                yield self.marked({"type": "image_url", "image_url": {"url": url}}, block)
            case {"type": "document", "source": dict(source)}:
                yield from self._document(block, source, field)
            case {"type": "text" | "image" | "document"}:
                raise refused(f"expected a block of type {block['type']!r} to hold what it is", field)
            case _:
                raise unsupported(f"{field}.type {block.get('type')!r}", self._provider)

    def _image_url(self, source: Block, field: str) -> str:
        match source:
            case {"type": "base64", "media_type": str(kind), "data": str(data)}:
                return f"data:{kind};base64,{data}"
            case {"type": "url", "url": str(url)}:
                return url
            case _:
                raise unsupported(f"{field}.source.type {source.get('type')!r}", self._provider)

    def _document(self, block: Block, source: Block, field: str) -> Iterator[Part]:
        for name in ("citations", "context"):
            if (value := block.get(name)) and value != {"enabled": False}:
                raise unsupported(f"{field}.{name}", self._provider)
        title = block["title"] if isinstance(block.get("title"), str) else None
        match source:
            case {"type": "base64", "media_type": str(kind), "data": str(data)}:
                yield self.marked(_file(f"data:{kind};base64,{data}", title or _name_for(kind)), block)
            case {"type": "url", "url": str(url)} if self._flavour.rich_results:
                yield self.marked(_file(url, title), block)
            case {"type": "text", "data": str(text)}:
                text = text if title is None else f"{title}\n\n{text}"
                yield self.marked({"type": "text", "text": text}, block)
            case {"type": "content", "content": content}:
                yield from self.of(content, f"{field}.source.content[]")
            case _:
                raise unsupported(f"{field}.source.type {source.get('type')!r}", self._provider)


def blocks_of(content: object, field: str = CONTENT) -> list[Block]:
    """A text as its one block; nothing as none.

    Raises:
        ProviderFailed: REQUEST_REFUSED: it is neither.
    """
    if content is None:
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list) or not all(isinstance(block, dict) for block in content):
        raise refused("expected content to be a text or a list of blocks", field)
    return content


def content_of(parts: Sequence[Part]) -> str | list[Part]:
    """A message's content: one text by itself as a string, which every server understands."""
    match parts:
        case []:
            return ""
        case [{"type": "text", "text": str(text)} as only] if "cache_control" not in only:
            return text
        case _:
            return list(parts)


def refused(message: str, field: str) -> ProviderFailed:
    """The request makes no sense, whichever provider gets it."""
    return ProviderFailed(Failure(FailureKind.REQUEST_REFUSED, message, status=400, param=field, unsent=True))


def _file(data: str, title: str | None) -> Part:
    file = {"file_data": data} if title is None else {"filename": title, "file_data": data}
    return {"type": "file", "file": file}


def _name_for(kind: str) -> str:
    return "document.pdf" if kind == _PDF else "document"
