"""Forms with files, taken apart while they arrive."""

import re
from typing import Final

from hypercorn.typing import ASGIReceiveCallable
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from adapters.inbound.http.errors import RequestTooLarge
from adapters.inbound.http.receiving import BodyLimits, read_into
from adapters.inbound.http.request_headers import RawHeaders
from adapters.inbound.http.sound_length import HEAD_BYTES
from adapters.inbound.http.spool import Spool
from application.errors import InvalidRequest
from domain.form import Form, FormField, FormFile

MOST_PARTS: Final = 64
FIELDS_BYTES: Final = 1 << 20
"""Of all fields together: they stay in memory."""

_PATHS: Final = ("/audio/transcriptions", "/audio/translations")
_STEP_BYTES: Final = 64 << 10
_PART_HEAD_BYTES: Final = 128 << 10
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_LINE_BREAK: Final = re.compile(rb"[\r\n]")
_AROUND_BOUNDARY_BYTES: Final = 128
_PLAIN: Final = frozenset({"", "7bit", "8bit", "binary"})


def takes_form(path: str) -> bool:
    """Whether what is sent there is a form."""
    return path.removesuffix("/").endswith(_PATHS)


def boundary_of(headers: RawHeaders) -> bytes:
    """What separates the parts. Raises InvalidRequest where the body is no form, or does not say."""
    kind, options = parse_options_header(headers.get(b"content-type", b"").decode("latin-1"))
    if kind != "multipart/form-data":
        raise InvalidRequest("Content-Type: expected multipart/form-data with the file in the field 'file'.")
    boundary = options.get("boundary", "")
    if _BOUNDARY.fullmatch(boundary) is None:
        raise InvalidRequest("Content-Type: expected multipart/form-data with a boundary of 1 to 70 characters.")
    return boundary.encode("ascii")


class _Decoder(MultipartDecoder):
    """Werkzeug's, which takes the line break before a boundary for data where a read ends inside what follows it."""

    def _last_partial_boundary_index(self, data: bytes | bytearray) -> int:
        """Where that begins which may turn out to be a boundary: at the first line break near the end."""
        near = max(0, len(data) - len(self.boundary) - _AROUND_BOUNDARY_BYTES)
        found = _LINE_BREAK.search(data, near)
        return len(data) if found is None else found.start()


class Upload:
    """A form in the making. Whoever makes one must close it."""

    def __init__(self, boundary: bytes) -> None:
        self._decoder = _Decoder(boundary, _PART_HEAD_BYTES + _STEP_BYTES, max_parts=MOST_PARTS)
        self._parts: list[FormField | FormFile] = []
        self._spools: list[Spool] = []
        self._open: Field | File | None = None
        self._value = bytearray()
        self._head = bytearray()
        self._fields_bytes = 0
        self.received_bytes = 0

    async def take(self, data: bytes) -> None:
        """The next of its bytes.

        Raises:
            InvalidRequest: It is no such form.
            RequestTooLarge: Its fields are larger than the limit.
            StateUnavailable: The disk can't take it.
        """
        self.received_bytes += len(data)
        for start in range(0, len(data), _STEP_BYTES):
            await self._decode(data[start : start + _STEP_BYTES])

    async def form(self) -> Form:
        """All of it; it lasts until `close`. Raises as `take`."""
        await self._decode(None)
        return Form(tuple(self._parts))

    def close(self) -> None:
        """Gives back what its files take up."""
        for spool in self._spools:
            spool.close()

    async def _decode(self, data: bytes | None) -> None:
        try:
            self._decoder.receive_data(data)
            while not isinstance(event := self._decoder.next_event(), NeedData | Epilogue):
                match event:
                    case Field() | File():
                        self._begin(event)
                    case Data(part, more):
                        await self._add(part, more=more)
        except RequestEntityTooLarge as error:
            raise InvalidRequest(
                f"The form has more than {MOST_PARTS} parts, or a part's head is larger than {_PART_HEAD_BYTES} bytes."
            ) from error
        except ValueError as error:
            raise InvalidRequest("The form is malformed: expected parts, each with its name, and an end.") from error

    def _begin(self, part: Field | File) -> None:
        if not part.name:
            raise InvalidRequest("A part of the form has no name.")
        if part.headers.get("content-transfer-encoding", "").strip().lower() not in _PLAIN:
            raise InvalidRequest("A part of the form has a Content-Transfer-Encoding: send it as it is.")
        self._open = part
        if isinstance(part, File):
            self._spools.append(Spool())

    async def _add(self, data: bytes, *, more: bool) -> None:
        part = self._open
        if isinstance(part, File):
            spool = self._spools[-1]
            if len(self._head) < HEAD_BYTES:
                self._head += data[: HEAD_BYTES - len(self._head)]
            await spool.write(data)
            if not more:
                await spool.finish()
                kind = part.headers.get("content-type", "")
                self._parts.append(FormFile(part.name, part.filename, kind, spool, bytes(self._head)))
                self._head.clear()
            return
        self._value += data
        self._fields_bytes += len(data)
        if self._fields_bytes > FIELDS_BYTES:
            raise RequestTooLarge(f"The fields of the form are larger than {FIELDS_BYTES} bytes: send less.")
        if not more and part is not None:
            self._parts.append(FormField(part.name, bytes(self._value)))
            self._value.clear()


async def read_form(upload: Upload, receive: ASGIReceiveCallable, headers: RawHeaders, limits: BodyLimits) -> Form:
    """The whole body as a form. Raises as `read_into` and `Upload.take`."""
    await read_into(upload.take, receive, headers, limits)
    return await upload.form()
