"""What puts the streams of each endpoint together."""

from typing import Protocol

from application.replies.assembly import ReplyAssembly
from application.replies.messages.assembly import MessageAssembly
from domain.chat import Chunk, Endpoint, Reply


class Assembly(Protocol):
    """Fed with the chunks of one stream, from its beginning."""

    def add(self, batch: tuple[Chunk, ...]) -> None:
        """Takes what was sent next."""
        ...

    def reply(self) -> Reply | None:
        """The whole reply, after a stream that ended as it should; None where it must not be kept."""
        ...


def assembly_for(endpoint: Endpoint, max_bytes: int) -> Assembly:
    """For one stream of that endpoint; `max_bytes` bounds the reply's body."""
    return MessageAssembly(max_bytes) if endpoint is Endpoint.MESSAGES else ReplyAssembly(endpoint, max_bytes)
