import json
from collections.abc import Iterator

from domain.chat import Chunk, LlmRequest, Usage
from domain.pricing import estimate_tokens


class OutputCount:
    """Tokens in a stream whose provider does not tell them.

    A chunk is mostly the same frame around a little text; reading it would cost more than relaying it. The shortest one
    is taken for the frame with a token in it. What others have beyond that is text, at four characters to a token.
    """

    __slots__ = ("_bytes", "_chunks", "_shortest")

    def __init__(self) -> None:
        self._chunks = 0
        self._bytes = 0
        self._shortest = 0

    def add(self, batch: tuple[Chunk, ...]) -> None:
        """Counts what has content."""
        for chunk in batch:
            if chunk.content:
                size = len(chunk.data)
                self._bytes += size
                self._chunks += 1
                if size < self._shortest or not self._shortest:
                    self._shortest = size

    @property
    def tokens(self) -> int:
        """An estimate."""
        return self._chunks + estimate_tokens(self._bytes - self._chunks * self._shortest)


def counted_usage(llm: LlmRequest, written_tokens: int) -> Usage:
    """What an attempt used whose provider did not tell: `written_tokens` are those of a text."""
    output = written_tokens if llm.endpoint.writes_text else llm.work.output_tokens
    return Usage(llm.input_tokens, output, estimated=True, units=llm.work.units)


def written_characters(body: bytes) -> int:
    """Characters that a model wrote in a whole reply: all text below `choices` or `content`, but for names.

    Of a reply in no such shape, all of it.
    """
    try:
        document = json.loads(body)
    except ValueError:
        return len(body)
    fields = document if isinstance(document, dict) else {}
    # A message of Anthropic's holds its blocks itself.
    written = fields.get("choices", fields.get("content"))
    return sum(map(len, _texts(written))) if isinstance(written, list) else len(body)


_NOT_WRITTEN = frozenset({"role", "finish_reason", "type", "id", "object", "logprobs", "signature", "data"})


def _texts(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str(text):
                yield text
            case list(items):
                waiting += items
            case dict(fields):
                waiting += (field for name, field in fields.items() if name not in _NOT_WRITTEN)
