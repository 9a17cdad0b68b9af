"""Replies kept to answer the same request again, and the leases under which one of many misses fills the gap."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace

from domain.chat import Usage
from domain.durations import MINUTE_US

LONGEST_TTL_US = 30 * 1_440 * MINUTE_US
"""No reply is kept longer, whatever is asked."""

ENTRY_OVERHEAD_BYTES = 1_280
"""What an entry costs beside its body, in either store; measured, rounded up."""

MODELS_COUNTED = 1_000
"""How many models of a scope are counted by name."""

OTHER_MODELS = "other"
"""What further ones are counted as."""


@dataclass(frozen=True, slots=True)
class CachedReply:
    """A complete reply. `body` is whatever the caller replays it from; `stored_us` is its own wall-clock time."""

    body: bytes
    model: str
    stored_us: int
    usage: Usage | None = None

    @property
    def size_bytes(self) -> int:
        """What it counts for in the bounds and in the statistics."""
        return len(self.body) + ENTRY_OVERHEAD_BYTES


@dataclass(frozen=True, slots=True)
class Fill:
    """The right to call upstream and to store the reply, until `expires_us` of the store's own clock.

    `token` tells this right from others that the same owner had before; only the store reads it.
    """

    scope: str
    key: str
    owner: str
    token: str
    expires_us: int

    def is_live(self, now_us: int) -> bool:
        """Whether it still holds; not at `expires_us` itself."""
        return now_us < self.expires_us

    def is_same(self, other: "Fill") -> bool:
        """Whether both are one right, however often it was extended."""
        return (self.owner, self.token) == (other.owner, other.token)

    def extended(self, now_us: int, ttl_us: int) -> "Fill":
        """Holds for `ttl_us` from now."""
        return replace(self, expires_us=now_us + ttl_us)


@dataclass(frozen=True, slots=True)
class FillHeld:
    """`owner` fills it. It is free after `retry_after_us`, or earlier: when its reply is stored or given up."""

    retry_after_us: int
    owner: str


@dataclass(frozen=True, slots=True)
class CacheUse:
    """How often requests asked the cache: they were answered, were not, or did not want to be."""

    hits: int = 0
    misses: int = 0
    bypasses: int = 0

    def __add__(self, other: "CacheUse") -> "CacheUse":
        return CacheUse(self.hits + other.hits, self.misses + other.misses, self.bypasses + other.bypasses)


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What happened and what is there. `evictions` made room for others, expiry is none; bytes count overhead too.

    `hits`, `misses` and `bypasses` are the sums of `by_model`; models beyond MODELS_COUNTED are one, OTHER_MODELS.
    """

    hits: int = 0
    misses: int = 0
    stores: int = 0
    evictions: int = 0
    entries: int = 0
    bytes: int = 0
    bypasses: int = 0
    by_model: Mapping[str, CacheUse] = field(default_factory=dict)

    def __add__(self, other: "CacheStats") -> "CacheStats":
        return CacheStats(
            self.hits + other.hits,
            self.misses + other.misses,
            self.stores + other.stores,
            self.evictions + other.evictions,
            self.entries + other.entries,
            self.bytes + other.bytes,
            self.bypasses + other.bypasses,
            uses_added(self.by_model, other.by_model),
        )


def uses_added(some: Mapping[str, CacheUse], more: Mapping[str, CacheUse]) -> dict[str, CacheUse]:
    """The uses of both, by model."""
    return {**some, **{model: some.get(model, CacheUse()) + use for model, use in more.items()}}


def counted_as(model: str, known: Container[str], count: int) -> str:
    """The name under which a model is counted where `count` names are `known`."""
    return model if model in known or count < MODELS_COUNTED else OTHER_MODELS


def is_valid(expires_us: int, now_us: int) -> bool:
    """Whether a reply may still be handed out; not at `expires_us` itself."""
    return now_us < expires_us


def acquire(current: Fill | None, wanted: Fill, now_us: int) -> Fill | FillHeld:
    """The right that stands after `wanted` asked for it: its own, an earlier one of the same owner, or another's."""
    if current is None or not current.is_live(now_us):
        return wanted
    if current.owner == wanted.owner:
        return current
    return FillHeld(current.expires_us - now_us, current.owner)


def holds(current: Fill | None, fill: Fill, now_us: int) -> bool:
    """Whether `fill` is the right that stands now: neither expired, nor revoked, nor another's."""
    return current is not None and current.is_same(fill) and current.is_live(now_us)


def next_generation(current: int, now_us: int) -> int:
    """What a purge makes of a scope's generation: never one that was there before, even after the store lost it."""
    return max(current + 1, now_us)
