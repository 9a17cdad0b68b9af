"""The whole message that a stream of Anthropic's events amounts to."""

from typing import Any, Final

from application.ports.response_cache import LARGEST_ENTRY_BYTES
from application.replies.members import Members, Uncertain
from application.replies.messages.block_parts import BlockParts
from application.replies.messages.whole_message import is_finished
from application.replies.reply_json import parse, to_json
from domain.chat import Chunk, Reply, Usage

_ENDING: Final = frozenset({"type", "delta", "usage"})
_HARMLESS: Final = ("ping", "content_block_stop")


class MessageAssembly:
    """Fed with the chunks of one stream. What can't be put together without guessing makes it give up.

    Attributes:
        gave_up: There will be no reply. It holds nothing any more, and feeding it more is harmless.
    """

    __slots__ = ("_blocks", "_collected", "_max_bytes", "_message", "_stopped", "_usage", "gave_up")

    def __init__(self, max_bytes: int = LARGEST_ENTRY_BYTES) -> None:
        self._max_bytes = max_bytes
        self._collected = 0
        self._message: Members | None = None
        self._blocks: list[BlockParts] = []
        self._usage: Usage | None = None
        self._stopped = False
        self.gave_up = False

    def add(self, batch: tuple[Chunk, ...]) -> None:
        """Takes what was sent next."""
        if self.gave_up:
            return
        try:
            for chunk in batch:
                if chunk.data:
                    self._take(chunk)
        except (ValueError, RecursionError):
            self.gave_up, self._message, self._blocks, self._usage = True, None, [], None

    def reply(self) -> Reply | None:
        """The whole reply, after a stream that ended as it should; None where it must not be kept."""
        if self.gave_up or self._message is None or not self._stopped:
            return None
        try:
            whole = {**self._message, "content": [block.whole() for block in self._blocks]}
            body = to_json(whole) if is_finished(whole) else b""
        except ValueError:
            return None
        return Reply(body, self._usage) if 0 < len(body) <= self._max_bytes else None

    def _take(self, chunk: Chunk) -> None:
        self._usage = chunk.usage or self._usage
        event: dict[str, Any] = parse(chunk.data)
        kind = event.get("type")
        if kind == "message_start":
            self._start(event.get("message"))
        elif self._message is None:
            if kind not in _HARMLESS:
                raise Uncertain("an event before the message")
        elif kind == "content_block_delta":
            self._collected += self._block(event).add(event.get("delta"))
        else:
            self._collected += len(chunk.data)
            self._take_rare(self._message, event)
        if self._collected > self._max_bytes:
            raise Uncertain("too large")

    def _take_rare(self, message: Members, event: Members) -> None:
        match event.get("type"):
            case "content_block_start":
                self._open(event)
            case "message_delta":
                self._end(message, event)
            case "message_stop":
                self._stopped = True
            case kind if kind not in _HARMLESS:
                raise Uncertain("an event of an unknown kind")

    def _start(self, message: object) -> None:
        if not isinstance(message, dict) or self._message is not None or message.get("content"):
            raise Uncertain("a message that does not begin")
        self._message = message

    def _open(self, event: Members) -> None:
        block = event.get("content_block")
        if event.get("index") != len(self._blocks) or not isinstance(block, dict):
            raise Uncertain("content blocks out of order")
        self._blocks.append(BlockParts(block))

    def _block(self, event: Members) -> BlockParts:
        index = event.get("index")
        if type(index) is not int or not 0 <= index < len(self._blocks):
            raise Uncertain("a piece of no block")
        return self._blocks[index]

    def _end(self, message: Members, event: Members) -> None:
        """What the end says replaces what the beginning guessed."""
        for told, into in ((event.get("delta"), message), (event.get("usage"), message.setdefault("usage", {}))):
            if isinstance(told, dict) and isinstance(into, dict):
                into |= {name: value for name, value in told.items() if value is not None or name not in into}
        message |= {name: value for name, value in event.items() if name not in _ENDING}
