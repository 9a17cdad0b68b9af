"""A limit as it is configured: what is counted, how, and how much of it is allowed."""

from dataclasses import dataclass
from enum import StrEnum

LARGEST_LIMIT = 10**11
"""Above it the arithmetic of the scripts would lose digits. A hundred billion a minute is no limit to anybody."""

LARGEST_AMOUNT = LARGEST_LIMIT + 1
"""What is too much to count counts as this: more than any limit."""


class LimitKind(StrEnum):
    """What is counted."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    PARALLEL = "parallel"


class Algorithm(StrEnum):
    """How it is counted: over a minute, or, with leases, while it lasts."""

    SLIDING_WINDOW = "sliding-window"
    TOKEN_BUCKET = "token-bucket"  # noqa: S105 - an algorithm
    FIXED_WINDOW = "fixed-window"
    LEASES = "leases"


@dataclass(frozen=True, slots=True)
class Limit:
    """`limit` requests or tokens a minute, or `limit` requests at the same time.

    Attributes:
        name: Unique among the limits of an account, such as `key:K:rpm`. Its count lives under this name.
    """

    name: str
    kind: LimitKind
    limit: int
    algorithm: Algorithm = Algorithm.SLIDING_WINDOW

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= LARGEST_LIMIT:
            raise ValueError(f"expected a limit from 1 to {LARGEST_LIMIT}, found {self.limit} for {self.name!r}")
        if (self.kind is LimitKind.PARALLEL) != (self.algorithm is Algorithm.LEASES):
            raise ValueError(f"what runs in parallel is counted by leases, and nothing else is: {self.name!r}")

    def amount(self, tokens: int) -> int:
        """What a request of so many tokens takes of it."""
        return min(tokens, LARGEST_AMOUNT) if self.kind is LimitKind.TOKENS else 1
