"""The answer of every limit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a request may pass a limit, and what it should know.

    Attributes:
        remaining: What is left after this request where it was allowed, else what is left now.
        retry_after_us: When the same request would be allowed; 0 where it is, None where waiting never helps.
        reset_after_us: When the limit is whole again.
    """

    allowed: bool
    remaining: int
    retry_after_us: int | None
    reset_after_us: int
