"""What can go wrong upstream, and what follows from each: retried, counted by the breaker, cooled down.

One table for every provider and every endpoint. Sources for the rows: gRPC A6, Envoy's outlier detection and
RateLimitedRetryBackOff, resilience4j.
"""

import re
from dataclasses import dataclass
from enum import Enum, StrEnum
from types import MappingProxyType

from domain.durations import MINUTE_US, SECOND_US


class FailureKind(StrEnum):
    """What happened to an attempt. The value stands in traces, logs and usage records."""

    CONNECT = "connect_error"
    TIMEOUT = "timeout"
    SERVER_ERROR = "server_error"
    CONFLICT = "conflict"
    BROKEN_REPLY = "broken_reply"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    CREDENTIAL_REFUSED = "credential_refused"
    FORBIDDEN = "forbidden"
    CONTEXT_LENGTH = "context_length_exceeded"
    REQUEST_REFUSED = "request_refused"
    UNSUPPORTED = "unsupported_operation"


class Blame(Enum):
    """What the circuit breaker makes of it."""

    FAILURE = "failure"
    IGNORED = "ignored"


class Cooldown(StrEnum):
    """Why an instance rests outside the circuit breaker. Only MISCONFIGURED stays usable as the last resort."""

    RATE_LIMITED = "rate_limited"
    QUOTA_EXHAUSTED = "quota_exhausted"
    MISCONFIGURED = "misconfigured"
    ASKED_FOR = "asked_for"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from one kind of failure.

    Attributes:
        retry: Another attempt may help.
        blame: Whether the breaker counts it.
        cooldown: Why the instance rests; None where it does not.
        cooldown_us: For how long, where the provider named no time.
    """

    retry: bool
    blame: Blame
    cooldown: Cooldown | None = None
    cooldown_us: int = 0


_COUNTED = Verdict(retry=True, blame=Blame.FAILURE)
_CLIENTS_FAULT = Verdict(retry=False, blame=Blame.IGNORED)

VERDICTS = MappingProxyType(
    {
        FailureKind.CONNECT: _COUNTED,
        FailureKind.TIMEOUT: _COUNTED,
        FailureKind.SERVER_ERROR: _COUNTED,
        FailureKind.CONFLICT: _COUNTED,
        FailureKind.BROKEN_REPLY: _COUNTED,
        FailureKind.RATE_LIMITED: Verdict(True, Blame.IGNORED, Cooldown.RATE_LIMITED, SECOND_US),
        FailureKind.QUOTA_EXHAUSTED: Verdict(True, Blame.IGNORED, Cooldown.QUOTA_EXHAUSTED, 10 * MINUTE_US),
        FailureKind.CREDENTIAL_REFUSED: Verdict(True, Blame.IGNORED, Cooldown.MISCONFIGURED, 5 * MINUTE_US),
        FailureKind.FORBIDDEN: Verdict(True, Blame.IGNORED),
        FailureKind.CONTEXT_LENGTH: _CLIENTS_FAULT,
        FailureKind.REQUEST_REFUSED: _CLIENTS_FAULT,
        FailureKind.UNSUPPORTED: _CLIENTS_FAULT,
    }
)

_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_NEVER_SENT = frozenset({FailureKind.CONNECT, FailureKind.UNSUPPORTED})

MIN_COOLDOWN_US = SECOND_US
MAX_COOLDOWN_US = 5 * MINUTE_US


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed attempt, as the provider or the transport told it.

    Attributes:
        status: The provider's HTTP status; None where there was none.
        message: For the client: holds no credential and no internal address.
        code, type, param: The provider's own, where it gave them in OpenAI's shape.
        retry_after_us: The provider's wish; None where it had none.
        ambiguous: The body had been sent and no answer came: the provider may bill for it.
        unsent: The gateway itself found that this provider can't be asked so.
        quotes: The message is the provider's, and may repeat the prompt.
    """

    kind: FailureKind
    message: str
    status: int | None = None
    code: str | None = None
    type: str | None = None
    param: str | None = None
    retry_after_us: int | None = None
    ambiguous: bool = False
    unsent: bool = False
    quotes: bool = False

    @property
    def was_sent(self) -> bool:
        """Whether the provider has, or may have, got anything of the request."""
        return self.ambiguous or not (self.unsent or self.kind in _NEVER_SENT)

    @property
    def word(self) -> str | None:
        """The provider's code, where it is one: any other text may repeat the prompt, and is for the client alone."""
        return self.code if self.code is not None and _WORD.fullmatch(self.code) else None

    @property
    def own_words(self) -> str:
        """What the gateway itself says of it, for whoever must not see prompts."""
        if not self.quotes:
            return self.message
        did = "reported an error" if self.status is None else f"answered {self.status}"
        return f"the provider {did} ({self.word or self.kind.value})"

    @property
    def verdict(self) -> Verdict:
        """What follows from it."""
        return VERDICTS[self.kind]

    @property
    def cooldown(self) -> Cooldown | None:
        """Why the instance rests; None where it does not. One that failed rests where it asks for it."""
        verdict = self.verdict
        if verdict.cooldown is None and verdict.blame is Blame.FAILURE and self.retry_after_us is not None:
            return Cooldown.ASKED_FOR
        return verdict.cooldown

    @property
    def cooldown_us(self) -> int:
        """How long the instance rests, in microseconds; 0 where it does not. The provider's wish is clamped."""
        cooldown = self.cooldown
        if cooldown in (Cooldown.RATE_LIMITED, Cooldown.ASKED_FOR) and self.retry_after_us is not None:
            return min(max(self.retry_after_us, MIN_COOLDOWN_US), MAX_COOLDOWN_US)
        return self.verdict.cooldown_us if cooldown else 0

    @property
    def cooldown_grows(self) -> bool:
        """Whether its length is a guess, which doubles each time that it proves too short."""
        return self.cooldown is Cooldown.RATE_LIMITED and self.retry_after_us is None


class ProviderFailed(Exception):
    """An attempt ended without a usable reply."""

    def __init__(self, failure: Failure) -> None:
        """Carries the whole story in `failure`."""
        super().__init__(failure.message)
        self.failure = failure
