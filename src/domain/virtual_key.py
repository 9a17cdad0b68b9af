"""A key as it is stored: everything about it but the secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

from domain.callers import CallerKind
from domain.keys import DIGEST_BYTES, is_shown_prefix
from domain.limits.key_limits import NO_LIMITS, KeyLimits, limits_of
from domain.limits.limit import Algorithm, Limit
from domain.tenants import TeamId, UserId, check_id, check_name, check_names

KeyId = NewType("KeyId", str)


class KeyScope(StrEnum):
    """What a key opens."""

    LLM = "llm"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualKey:
    """A key of a team, of a user, of a user inside a team, or of nobody.

    Attributes:
        prefix: What lists show of the secret.
        digest: By which the secret is found.
        models: Names it may ask for (models, aliases, routes); None for all, empty for none.
        tags: Instances it may use must carry all of these.
        routes: What it gets where it asks for a name: another model, alias or route. Stronger than its team's.
        expires_at_us: The first instant at which it is not valid any more. Unix time, as all three.

    Raises:
        ValueError: One of them is illegal, or the scope is admin and there is no user whose role would say what for.
    """

    id: KeyId
    name: str
    prefix: str
    digest: bytes = field(repr=False)
    created_at_us: int
    scope: KeyScope = KeyScope.LLM
    user_id: UserId | None = None
    team_id: TeamId | None = None
    models: frozenset[str] | None = None
    tags: frozenset[str] = frozenset()
    routes: Mapping[str, str] = field(default_factory=dict, hash=False)
    limits: KeyLimits = NO_LIMITS
    expires_at_us: int | None = None
    blocked: bool = False
    revoked_at_us: int | None = None

    def __post_init__(self) -> None:
        self._check_names()
        self._check_instants()
        if not is_shown_prefix(self.prefix):
            raise ValueError("expected the first 8 letters and digits of a key as its prefix")
        if len(self.digest) != DIGEST_BYTES:
            raise ValueError(f"expected a digest of {DIGEST_BYTES} bytes, found {len(self.digest)}")
        if self.scope is KeyScope.ADMIN and self.user_id is None:
            raise ValueError(f"a key of scope admin needs a user: {self.id}")

    @property
    def tenant(self) -> str | None:
        """The team or user that it spends from, such as `team:T`; None where it is on its own."""
        if self.team_id is not None:
            return f"team:{self.team_id}"
        return None if self.user_id is None else f"user:{self.user_id}"

    @property
    def account(self) -> str:
        """Where its limits and budgets are decided: its team, else its user, else itself, as `key:K`."""
        return self.tenant or f"{CallerKind.KEY}:{self.id}"

    def is_valid(self, now_us: int) -> bool:
        """Whether it opens anything now.

        A revoked key never does: who revoked it by a clock that is ahead means now.
        """
        if self.blocked or self.revoked_at_us is not None:
            return False
        return self.expires_at_us is None or now_us < self.expires_at_us

    def own_limits(self, algorithm: Algorithm) -> tuple[Limit, ...]:
        """Its own limits, without those of its user and team."""
        return limits_of(f"{CallerKind.KEY}:{self.id}", self.limits, algorithm)

    def _check_names(self) -> None:
        check_id(self.id, "key id")
        check_name(self.name, "key name")
        if self.user_id is not None:
            check_id(self.user_id, "user id")
        if self.team_id is not None:
            check_id(self.team_id, "team id")
        check_names(self.models, self.tags, self.routes)

    def _check_instants(self) -> None:
        # A key may be revoked "before" it was created, by a gateway whose clock is behind: that must not fail.
        for instant_us in (self.created_at_us, self.expires_at_us, self.revoked_at_us):
            if instant_us is not None and (type(instant_us) is not int or instant_us < 0):
                raise ValueError(f"expected microseconds since 1970, found {instant_us!r}")
        if self.expires_at_us is not None and self.expires_at_us <= self.created_at_us:
            raise ValueError(f"the key expires before it is created: {self.id}")
