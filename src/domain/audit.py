"""What was changed, by whom, and how it was before."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """Adds `after` (there is no `before`), replaces `before` by it, or removes `before` (there is no `after`).

    Attributes:
        action: Such as `key.create`.
        target: Such as `key:K`, `budget:team:T`, `price:openai/gpt-4o`. What caches keep goes by it.
    """

    action: str
    target: str
    before: T | None
    after: T | None

    def __post_init__(self) -> None:
        if self.before is None and self.after is None:
            raise ValueError("expected something before, or after")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change as the log has it.

    Attributes:
        revision: Rises by one with each change; in this order the changes took effect.
        before, after: JSON objects without secrets; None where there was nothing.
    """

    revision: int
    at_us: int
    actor: str
    action: str
    target: str
    before: str | None
    after: str | None
