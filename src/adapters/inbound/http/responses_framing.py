"""How the events of OpenAI's Responses are written: each with its name and number, and no `[DONE]`."""

import json
import re

from adapters.inbound.http.errors import error_document
from adapters.inbound.http.sse import Framing, named_event, named_events
from application.errors import GatewayError
from domain.chat import Chunk

_NUMBER = re.compile(rb'"sequence_number"\s*:\s*(\d{1,18})(?!\d)')


def responses_framing() -> Framing:
    """For one stream."""
    events = _Numbered()
    return Framing(events.batch, b"", events.error)


class _Numbered:
    """Remembers the last event, whose number an error's comes after."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = b""

    def batch(self, batch: tuple[Chunk, ...]) -> bytes:
        events = named_events(batch)
        if events:
            self._last = events
        return events

    def error(self, error: GatewayError) -> bytes:
        """As documented, and nested as well: the official client raises only for the second."""
        told = json.loads(error_document(error))["error"]
        numbers = _NUMBER.findall(self._last)
        plain = {name: told[name] for name in ("code", "message", "param")}
        number = int(numbers[-1]) + 1 if numbers else 0
        document = {"type": "error", **plain, "sequence_number": number, "error": told}
        return named_event(json.dumps(document, separators=(",", ":")).encode())
