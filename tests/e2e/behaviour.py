"""How the scripted upstream answers one request: plain data, made by the test."""

from dataclasses import dataclass
from enum import StrEnum

BEFORE_HEAD = -2
AFTER_HEAD = -1


class Ending(StrEnum):
    """How a reply ends."""

    COMPLETE = "complete"
    FIN = "fin"  # the connection closes as if nothing were wrong
    RST = "rst"  # the connection is reset
    HANG = "hang"  # nothing more comes, the connection stays
    ERROR_EVENT = "error-event"  # an error inside a stream that began with 200
    SILENT_END = "silent-end"  # HTTP ends properly, but neither a finish reason nor `[DONE]` came


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One reply.

    Attributes:
        delay_s: Pause before the head.
        ends, after: How the reply ends, and when: BEFORE_HEAD, AFTER_HEAD (before the role chunk), or after that many
            content chunks (0: after the role chunk; of a reply that is no stream: half-way in its body).
        chunks: Content chunks of a stream; a plain reply has the same text in one piece.
        chunk_delay_s: Pause between two events; 0 still gives each event a write of its own.
        pad_bytes: Each content chunk is filled up to this size.
        mark: Each content chunk begins with it.
        tool_call: Name and JSON arguments; the reply is a tool call instead of text.
        usage: Usage is reported (of a stream: where it is asked for).
        done: A stream that completes ends with `[DONE]`.
        until_close: No length and no chunked framing: the body ends when the connection does.
        byte_by_byte: Every byte is a write of its own.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    delay_s: float = 0.0
    ends: Ending = Ending.COMPLETE
    after: int = BEFORE_HEAD
    chunks: int = 4
    chunk_delay_s: float = 0.0
    pad_bytes: int = 0
    mark: str = ""
    tool_call: tuple[str, str] | None = None
    usage: bool = True
    role_first: bool = True
    done: bool = True
    until_close: bool = False
    byte_by_byte: bool = False


OK = Behaviour()


def failing(
    status: int, message: str = "scripted failure", *, code: str | None = None, retry_after: str | None = None
) -> Behaviour:
    """An error reply in the provider's own shape."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    told = "null" if code is None else f'"{code}"'
    body = f'{{"error":{{"message":"{message}","type":"{kind}","param":null,"code":{told}}}}}'
    headers = () if retry_after is None else (("retry-after", retry_after),)
    return Behaviour(status=status, body=body.encode(), headers=headers)


def ending(ends: Ending, after: int = BEFORE_HEAD) -> Behaviour:
    """A reply that does not complete."""
    return Behaviour(ends=ends, after=after)
