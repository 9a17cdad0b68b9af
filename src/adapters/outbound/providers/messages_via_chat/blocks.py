"""The content blocks of one stream, as events: one after the other, each opened, written and closed."""

import json
from collections.abc import Mapping
from typing import Any, Final

from adapters.outbound.providers.chat_documents import json_of
from adapters.outbound.providers.messages_via_chat.reply import plain_thought, tool_use
from domain.chat import Chunk

# In ASCII, as all of the gateway's own JSON; made once, for it is called for every piece.
_quoted = json.JSONEncoder().encode

_DELTA: Final = b'{"type":"content_block_delta","index":%d,"delta":{"type":"%b","%b":%b}}'
TEXT: Final = (b"text_delta", b"text")
_THINKING: Final = (b"thinking_delta", b"thinking")
_SIGNATURE: Final = (b"signature_delta", b"signature")
_ARGUMENTS: Final = (b"input_json_delta", b"partial_json")


class Blocks:
    """Writes them.

    Attributes:
        open_type: Of the block that is open; None where none is.
        call: The number of the tool call that is open, as the chat counts them.
    """

    __slots__ = ("_arguments", "_index", "_thought", "call", "open_type")

    def __init__(self) -> None:
        self.open_type: str | None = None
        self.call: int | None = None
        self._index = -1
        self._arguments: list[str] = []
        self._thought = False

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing more can come of what is open: any block but a call that is still being written."""
        if self.call is None:
            return True
        try:
            json.loads("".join(self._arguments))
        except (ValueError, RecursionError):
            return False
        return True

    def text(self, piece: str, into: list[Chunk]) -> None:
        """A piece of text."""
        if self.open_type != "text":
            self._open({"type": "text", "text": ""}, into, content=False)
        into.append(self._delta(TEXT, piece))

    def thinking(self, piece: str, into: list[Chunk]) -> None:
        """A piece of a thought whose signature may follow."""
        if self.open_type != "thinking":
            self._open({"type": "thinking", "thinking": "", "signature": ""}, into, content=False)
        self._thought = True
        into.append(self._delta(_THINKING, piece))

    def thought(self, told: Mapping[str, Any], into: list[Chunk]) -> None:
        """A whole thought, whose text has been told already where there was any to tell before."""
        block = plain_thought(told)
        if block["type"] == "redacted_thinking":
            self._open(block, into, content=True)
        elif self.open_type == "thinking" or not self._thought:
            if self.open_type != "thinking":
                self._open(block | {"thinking": "", "signature": ""}, into, content=False)
                if block["thinking"]:
                    into.append(self._delta(_THINKING, block["thinking"]))
            if block["signature"]:
                into.append(self._delta(_SIGNATURE, block["signature"]))
        self._thought = False
        self.close(into)

    def start_call(self, number: int, call: Mapping[str, Any], into: list[Chunk]) -> None:
        """A tool call, without its arguments."""
        self._open(tool_use(call) | {"input": {}}, into, content=True)
        self.call = number
        self._arguments = []

    def arguments(self, piece: str, into: list[Chunk]) -> None:
        """A piece of the open call's arguments."""
        self._arguments.append(piece)
        into.append(self._delta(_ARGUMENTS, piece))

    def close(self, into: list[Chunk]) -> None:
        """Ends the block that is open, if any."""
        if self.open_type is not None:
            into.append(Chunk(b'{"type":"content_block_stop","index":%d}' % self._index, content=False))
            self.open_type = self.call = None

    def _open(self, block: Mapping[str, Any], into: list[Chunk], *, content: bool) -> None:
        self.close(into)
        self._index += 1
        self.open_type = block["type"]
        start = b'{"type":"content_block_start","index":%d,"content_block":%b}' % (self._index, json_of(block))
        into.append(Chunk(start, content=content))

    def _delta(self, kind: tuple[bytes, bytes], piece: str) -> Chunk:
        return Chunk(_DELTA % (self._index, *kind, _quoted(piece).encode("ascii")))
