"""Who asks, and what they may use."""

from dataclasses import dataclass
from enum import StrEnum


class CallerKind(StrEnum):
    """How a caller became known."""

    MASTER = "master"
    KEY = "key"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal that was authenticated. There is no empty one.

    Attributes:
        id: Unique among its kind: of an anonymous caller, the address it comes from.
        models: Names it may ask for (models, aliases, routes); None for all.
        tags: Instances it may use must carry all of these.
    """

    kind: CallerKind
    id: str
    models: frozenset[str] | None = None
    tags: frozenset[str] = frozenset()

    @property
    def account(self) -> str:
        """Whose limits its requests count against."""
        return f"{self.kind}:{self.id}"

    def may_use(self, name: str) -> bool:
        """Whether it may ask for that model, alias or route."""
        return self.models is None or name in self.models
