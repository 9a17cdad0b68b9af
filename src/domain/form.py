"""A request that came as a form: fields and files, which every attempt sends on anew."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol


class Content(Protocol):
    """What a file holds. It has no position: any number of readers may be at work at once."""

    @property
    def size_bytes(self) -> int:
        """All of it."""
        ...

    def read(self, start: int, size: int) -> Awaitable[bytes]:
        """`size` bytes from `start` on, less only at the end. Raises ValueError once the request is over."""
        ...


@dataclass(frozen=True, slots=True)
class FormField:
    """A field."""

    name: str
    value: bytes


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file, under the name that the client gave it. `content_type` is empty where it told none.

    `head`: its first bytes, as many as whoever made it cared to keep.
    """

    name: str
    filename: str
    content_type: str
    content: Content
    head: bytes = b""


@dataclass(frozen=True, slots=True)
class Form:
    """The parts in the order sent."""

    parts: tuple[FormField | FormFile, ...]

    @property
    def files(self) -> tuple[FormFile, ...]:
        """The files alone."""
        return tuple(part for part in self.parts if isinstance(part, FormFile))

    def text(self, name: str) -> str | None:
        """The field of that name; None where there is none. What is no UTF-8 in it is replaced."""
        for part in self.parts:
            if isinstance(part, FormField) and part.name == name:
                return part.value.decode("utf-8", "replace")
        return None
