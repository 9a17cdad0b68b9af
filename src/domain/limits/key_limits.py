"""Limits that a key, a user or a team has of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from domain.limits.limit import LARGEST_LIMIT, Algorithm, Limit, LimitKind


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """What one holder may use. None: no limit. What must admit nothing is blocked, not limited to 0.

    Raises:
        ValueError: A limit is no whole number from 1 to `LARGEST_LIMIT`.
    """

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    max_parallel: int | None = None

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or not 1 <= value <= LARGEST_LIMIT):
                raise ValueError(f"expected {name} from 1 to {LARGEST_LIMIT}, found {value!r}")


NO_LIMITS = KeyLimits()


def limits_of(holder: str, limits: KeyLimits, algorithm: Algorithm) -> tuple[Limit, ...]:
    """What a request of `holder` has to pass: `key:K:rpm`, `key:K:tpm` and `key:K:parallel` of the holder `key:K`.

    `algorithm` counts what is per minute.
    """
    return tuple(_limits_of(holder, limits, algorithm))


def _limits_of(holder: str, limits: KeyLimits, algorithm: Algorithm) -> Iterator[Limit]:
    if limits.requests_per_minute is not None:
        yield Limit(f"{holder}:rpm", LimitKind.REQUESTS, limits.requests_per_minute, algorithm)
    if limits.tokens_per_minute is not None:
        yield Limit(f"{holder}:tpm", LimitKind.TOKENS, limits.tokens_per_minute, algorithm)
    if limits.max_parallel is not None:
        yield Limit(f"{holder}:parallel", LimitKind.PARALLEL, limits.max_parallel, Algorithm.LEASES)
