"""What was changed, by whom, and how it was before."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from domain.tenants import check_name

T = TypeVar("T")

# Two names of 200 characters, and a little. Databases have bounds to what they index.
_LONGEST_TARGET = 500


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """Adds `after` (there is no `before`), replaces `before` by it, or removes `before` (there is no `after`).

    Attributes:
        action: Such as `key.create`.
        target: Such as `key:K`, `budget:team:T`, `price:openai/gpt-4o`. What caches keep goes by it.

    Raises:
        ValueError: There is neither, or action or target can't be printed, or are too long.
    """

    action: str
    target: str
    before: T | None
    after: T | None

    def __post_init__(self) -> None:
        if self.before is None and self.after is None:
            raise ValueError("expected something before, or after")
        check_name(self.action, "name of an action")
        if len(self.target) > _LONGEST_TARGET or not self.target.isprintable():
            raise ValueError(f"expected a target of printable characters, found {self.target[:50]!r}")


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done to something that is kept elsewhere: an instance, a dead letter.

    Attributes:
        target: Such as `instance:gpt4-eu`.
        after: What was asked for, as a JSON object.
    """

    action: str
    target: str
    after: str | None = None


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
