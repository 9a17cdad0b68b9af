import io
from typing import Final

from application.replies.members import Members, Uncertain


class TextParts:
    """Texts that arrive in pieces, by name. A buffer each, because a list of pieces costs fifty bytes a piece."""

    __slots__ = ("_buffers",)

    def __init__(self) -> None:
        self._buffers: dict[str, io.StringIO | None] = {}

    def add(self, name: str, piece: object) -> int:
        """How many characters `piece` adds. None adds nothing, but is told where no text comes."""
        buffer = self._buffers.get(name)
        if type(piece) is str:
            if buffer is None:
                buffer = self._buffers[name] = io.StringIO(newline=_AS_IT_IS)
            buffer.write(piece)
            return len(piece)
        if piece is not None:
            raise Uncertain(f"{name!r} is no text")
        self._buffers[name] = buffer
        return 0

    def put_into(self, members: Members) -> None:
        """Adds each text to `members`."""
        for name, buffer in self._buffers.items():
            members[name] = None if buffer is None else buffer.getvalue()


_AS_IT_IS: Final = "\n"
