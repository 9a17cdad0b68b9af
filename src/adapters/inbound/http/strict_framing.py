"""HTTP/1.1 read by the letter: what a proxy in front could take for other lines or another request is refused.

h11 takes a bare line feed for the end of a line, joins folded lines, and reads a request line without a version; all
of that RFC 9112 allows, and all of it is what request smuggling is made of.
"""

from typing import Final

import h11
from h11._receivebuffer import ReceiveBuffer

CHUNK_LINE_BYTES: Final = 256
_VERSIONS: Final = frozenset({b"1.0", b"1.1"})
_END: Final = 2


class StrictLines(ReceiveBuffer):
    """What has arrived and was not read. Raises h11.LocalProtocolError, which the connection turns into the peer's."""

    def maybe_extract_lines(self) -> list[bytearray] | None:
        """A head or a trailer: lines that end with CR and LF, none of them folded."""
        before = len(self)
        lines = super().maybe_extract_lines()
        if lines is None:
            return None
        # h11 has taken the ends away; each was of two bytes if nothing is missing from the sum.
        if before - len(self) != sum(map(len, lines)) + _END * (len(lines) + 1):
            raise h11.LocalProtocolError("a line ends with a bare line feed")
        if any(line.startswith((b" ", b"\t")) for line in lines):
            raise h11.LocalProtocolError("a line is folded")
        return lines

    def maybe_extract_next_line(self) -> bytearray | None:
        """A chunk's size and extensions. These count for no limit on the body, so that they have one of their own."""
        line = super().maybe_extract_next_line()
        if len(self if line is None else line) > CHUNK_LINE_BYTES:
            raise h11.LocalProtocolError("a chunk's extensions are too long")
        return line


class StrictConnection(h11.Connection):
    """One connection, the server's side of it."""

    def __init__(self, max_incomplete_event_size: int) -> None:
        super().__init__(h11.SERVER, max_incomplete_event_size)
        self._receive_buffer = StrictLines()
        self._asked = False

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """As h11's, which raises h11.RemoteProtocolError."""
        event = super().next_event()
        if isinstance(event, h11.Request):
            if not self._is_plain(event):
                self._process_error(self.their_role)
                raise h11.RemoteProtocolError("a request that can be read in two ways")
            self._asked = True
        return event

    def _is_plain(self, request: h11.Request) -> bool:
        if request.method == b"PRI":
            # HTTP/2 begins with the connection, or it is a tunnel through whoever passed it on.
            return not self._asked and request.http_version == b"2.0" and not request.headers.raw_items()
        if request.http_version not in _VERSIONS:
            return False
        # RFC 9112, section 6.1: HTTP/1.0 knows no chunks.
        return request.http_version == b"1.1" or all(name != b"transfer-encoding" for name, _ in request.headers)
