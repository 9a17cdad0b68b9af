from dataclasses import dataclass, field

KEPT_BYTES = 16 * 1024
_HELD_BYTES = 2 * KEPT_BYTES


@dataclass(slots=True)
class ExchangedBodies:
    """The beginnings of what a client sent and was sent, while an operator wants to see them.

    Twice as much is held as is shown, so that no secret is cut in half before it is found.
    """

    sent_by_client: bytes
    answered: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self.sent_by_client = self.sent_by_client[:_HELD_BYTES]

    def answer(self, data: bytes) -> None:
        """One more part of the answer."""
        room_bytes = _HELD_BYTES - len(self.answered)
        if room_bytes > 0:
            self.answered += data[:room_bytes]
