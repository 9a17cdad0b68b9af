import logging
from typing import Final

from adapters.outbound.telemetry.off_loop import FinalRecord
from domain.exchanged_bodies import KEPT_BYTES, ExchangedBodies
from domain.identifiers import RequestId
from domain.redaction import Redactor

LOGGER: Final = "moongate.bodies"
_log = logging.getLogger(LOGGER)


class BodyRecord(FinalRecord):
    """What one client sent and was sent: credentials taken out, at most 16 KiB each."""

    def __init__(self, request_id: RequestId, bodies: ExchangedBodies, redactor: Redactor) -> None:
        super().__init__(LOGGER, logging.INFO, __file__, 0, "", None, None)
        self._request_id = request_id
        self._bodies = bodies
        self._weight_bytes = len(bodies.sent_by_client) + len(bodies.answered)
        self._redactor = redactor

    def getMessage(self) -> str:  # noqa: N802 - the name is logging's
        """For people."""
        asked, answered = self._shown(self._bodies.sent_by_client), self._shown(self._bodies.answered)
        return f"bodies of {self._request_id}: asked {asked} answered {answered}"

    def fields(self) -> dict[str, object]:
        """For programs."""
        return {
            "message": "bodies",
            "request_id": self._request_id,
            "request_body": self._shown(self._bodies.sent_by_client),
            "response_body": self._shown(self._bodies.answered),
        }

    def weight_bytes(self) -> int:
        """Both bodies."""
        return self._weight_bytes

    def _shown(self, body: bytes | bytearray) -> str:
        return self._redactor.redact(body.decode("utf-8", "replace"))[:KEPT_BYTES]


def log_bodies(request_id: RequestId, bodies: ExchangedBodies, redactor: Redactor) -> None:
    """Writes them down whatever the log's level: an operator has asked for them."""
    _log.handle(BodyRecord(request_id, bodies, redactor))
