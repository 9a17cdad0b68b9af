"""A form on its way to a provider: written anew for each attempt, from where its parts are kept."""

import re
from collections.abc import AsyncIterator
from typing import Final

import httpx

from domain.form import Content, Form, FormField, FormFile
from domain.identifiers import RequestId

PIECE_BYTES: Final = 256 << 10

_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f"\\]')
_CONTENT_TYPE: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(?:; ?[A-Za-z0-9_-]+=[A-Za-z0-9_.+-]+)*")
_ANY_FILE: Final = "application/octet-stream"


class MultipartBody(httpx.AsyncByteStream):
    """The body of one attempt, with the provider's name for the model. Each iteration begins at the start.

    The boundary is made of the request's own id: no client knows it before its form is complete.
    """

    def __init__(self, form: Form, model: str, request_id: RequestId) -> None:
        boundary = f"moongate-{request_id}"
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._pieces = _pieces(form, model, f"--{boundary}".encode("ascii"))
        self.size_bytes = sum(len(one) if isinstance(one, bytes) else one.size_bytes for one in self._pieces)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Written as the connection takes it."""
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            for start in range(0, piece.size_bytes, PIECE_BYTES):
                yield await piece.read(start, min(PIECE_BYTES, piece.size_bytes - start))


def quoted(name: str) -> str:
    """As browsers write names into a header (WHATWG HTML, "multipart form data"): no name can end one.

    Backslashes and other control characters go the same way: some readers take them for the start of an escape.
    """
    return _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", name)


def _pieces(form: Form, model: str, delimiter: bytes) -> list[bytes | Content]:
    pieces: list[bytes | Content] = []
    named = b""
    if form.text("model") is None:
        named = _field(delimiter, "model", model.encode())
    for part in form.parts:
        match part:
            case FormField("model", _):
                named += _field(delimiter, "model", model.encode())
            case FormField(name, value):
                named += _field(delimiter, name, value)
            case FormFile():
                pieces += (named + _file_head(delimiter, part), part.content)
                named = b"\r\n"
    pieces.append(named + delimiter + b"--\r\n")
    return pieces


def _field(delimiter: bytes, name: str, value: bytes) -> bytes:
    return delimiter + f'\r\nContent-Disposition: form-data; name="{quoted(name)}"\r\n\r\n'.encode() + value + b"\r\n"


def _file_head(delimiter: bytes, part: FormFile) -> bytes:
    kind = part.content_type if _CONTENT_TYPE.fullmatch(part.content_type) else _ANY_FILE
    said = f'\r\nContent-Disposition: form-data; name="{quoted(part.name)}"; filename="{quoted(part.filename)}"'
    return delimiter + said.encode("utf-8", "replace") + f"\r\nContent-Type: {kind}\r\n\r\n".encode("ascii")
