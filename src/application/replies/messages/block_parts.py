import json
from typing import Final

from application.replies.members import Members, Uncertain
from application.replies.messages.whole_message import GROWING

_DELTAS: Final = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("thinking", "signature"),
    "input_json_delta": ("tool_use", "partial_json"),
}


class BlockParts:
    """One content block from its deltas."""

    __slots__ = ("_block", "_pieces", "_type")

    def __init__(self, block: Members) -> None:
        self._block = block
        self._type = block.get("type")
        self._pieces: list[str] = []

    def add(self, delta: object) -> int:
        """How many characters it adds. Raises Uncertain where it does not belong here."""
        kind = delta.get("type") if isinstance(delta, dict) else None
        if not isinstance(delta, dict) or not isinstance(kind, str) or kind not in _DELTAS:
            raise Uncertain("a delta of an unknown kind")
        belongs, name = _DELTAS[kind]
        piece = delta.get(name)
        if belongs != self._type or not isinstance(piece, str):
            raise Uncertain("a delta of another block")
        if name == "signature":
            self._block[name] = piece
        else:
            self._pieces.append(piece)
        return len(piece)

    def whole(self) -> Members:
        """The block. Raises ValueError where a tool's input is no JSON object."""
        if not isinstance(self._type, str) or self._type not in GROWING or not self._pieces:
            return self._block
        name, said = GROWING[self._type], "".join(self._pieces)
        if self._type != "tool_use":
            return {**self._block, name: f"{self._block.get(name) or ''}{said}"}
        given = json.loads(said) if said.strip() else {}
        if not isinstance(given, dict):
            raise Uncertain("a tool's input that is no object")
        return {**self._block, name: given}
