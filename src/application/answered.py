"""What became of one HTTP request, for whoever counts, logs or traces it."""

from dataclasses import dataclass

from domain.callers import Caller
from domain.exchanged_bodies import ExchangedBodies
from domain.identifiers import RequestId


@dataclass(slots=True)
class Answered:
    """Filled in as the request goes; final when it is told of.

    Attributes:
        path: As the client sent it: not to be trusted.
        rule: The path's pattern, of which there are few; None where the request was refused before it had one.
        caller: None where nobody had to be known, or nobody was.
        status: None where nothing was answered: the client had gone, or the process ended.
        sent_bytes: Of bodies, without headers.
        is_whole: The answer was sent to its end.
        error_code: Of an error; a provider's own only where it is a word. None for a success.
        traceparent: As the client sent it, where it is well-formed.
        bodies: Kept only while an operator wants to see them.
    """

    request_id: RequestId
    method: str
    path: str
    client_request_id: str | None = None
    rule: str | None = None
    caller: Caller | None = None
    status: int | None = None
    received_bytes: int = 0
    sent_bytes: int = 0
    duration_us: int = 0
    is_whole: bool = False
    error_code: str | None = None
    traceparent: str | None = None
    bodies: ExchangedBodies | None = None
