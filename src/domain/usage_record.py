"""What one attempt used and cost, for the ledger; and what is known of it before it is sent."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from domain.identifiers import InstanceId, RequestId, RouteSlug
from domain.usage_codec import Parse, decode, encode, flag, optional, quantity, text, texts


class UsageOutcome(StrEnum):
    """How an attempt ended. The value stands in the ledger."""

    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"
    CUT = "cut"
    UNKNOWN = "unknown"


class UsageEnd(NamedTuple):
    """What is known of an attempt once it ended. See UsageRecord for the fields."""

    outcome: UsageOutcome
    status: int | None
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    estimated: bool
    cost_nano: int
    latency_us: int | None
    ttft_us: int | None
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """One row of the ledger. CUT: the stream broke off after its first content. CANCELLED: the client went away.

    Attributes:
        attempt: From 1; 0 where nobody was asked (a cache hit).
        at_us: When the attempt began, in microseconds since the epoch.
        model_asked: As the client named it.
        model_used: As the provider names it.
        status: Of the provider's answer; None where there was none.
        cached_input_tokens: Part of `input_tokens`.
        estimated: The tokens, and so the cost, were counted by the gateway and not reported by the provider.
        latency_us, ttft_us: None where it is not known, or where there was no token.
        account: Whose limits and budget it counts against.
        first: Whether it is the first record of its request; of a request's records exactly one is.
    """

    request_id: RequestId
    attempt: int
    at_us: int
    model_asked: str
    account: str
    method: str
    path: str
    outcome: UsageOutcome
    client_request_id: str | None = None
    route: RouteSlug | None = None
    model_used: str | None = None
    instance_id: InstanceId | None = None
    provider: str | None = None
    status: int | None = None
    stream: bool = False
    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    estimated: bool = False
    cost_nano: int = 0
    latency_us: int | None = None
    ttft_us: int | None = None
    user_id: str | None = None
    team_id: str | None = None
    key_id: str | None = None
    tags: tuple[str, ...] = ()
    cache_hit: bool = False
    error_code: str | None = None
    first: bool = True

    @property
    def record_id(self) -> str:
        """The ledger's key, in one string."""
        return f"{self.request_id}:{self.attempt}"

    def to_bytes(self) -> bytes:
        """Compact JSON."""
        return encode(self, _RECORD_FIELDS)

    @classmethod
    def from_bytes(cls, data: bytes) -> "UsageRecord":
        """The record that `to_bytes` wrote, by this or another version. Fields that are not known here are ignored.

        Raises:
            ValueError: It is none; the message says what is wrong.
        """
        return cls(**decode(data, _RECORD_PARSERS, _RECORD_REQUIRED))


@dataclass(frozen=True, slots=True)
class UsageIntent:
    """What is known before an attempt is sent; the fields are UsageRecord's. Tokens and cost are upper estimates."""

    request_id: RequestId
    attempt: int
    at_us: int
    model_asked: str
    account: str
    method: str
    path: str
    client_request_id: str | None = None
    route: RouteSlug | None = None
    model_used: str | None = None
    instance_id: InstanceId | None = None
    provider: str | None = None
    stream: bool = False
    input_tokens: int = 0
    output_tokens: int = 0
    cost_nano: int = 0
    user_id: str | None = None
    team_id: str | None = None
    key_id: str | None = None
    tags: tuple[str, ...] = ()
    first: bool = True

    @property
    def record_id(self) -> str:
        """That of the record it becomes."""
        return f"{self.request_id}:{self.attempt}"

    def unresolved(self) -> UsageRecord:
        """The record of an attempt whose end nobody saw: always the same one, so that it may be made twice."""
        return self.resolved(
            UsageEnd(
                UsageOutcome.UNKNOWN, None, self.input_tokens, self.output_tokens, 0, True, self.cost_nano, None, None
            )
        )

    def resolved(self, end: UsageEnd) -> UsageRecord:
        """The record of an attempt that ended so."""
        return UsageRecord(
            request_id=self.request_id,
            attempt=self.attempt,
            at_us=self.at_us,
            model_asked=self.model_asked,
            account=self.account,
            method=self.method,
            path=self.path,
            client_request_id=self.client_request_id,
            route=self.route,
            model_used=self.model_used,
            instance_id=self.instance_id,
            provider=self.provider,
            stream=self.stream,
            user_id=self.user_id,
            team_id=self.team_id,
            key_id=self.key_id,
            tags=self.tags,
            first=self.first,
            **end._asdict(),
        )

    def to_bytes(self) -> bytes:
        """Compact JSON."""
        return encode(self, _INTENT_FIELDS)

    @classmethod
    def from_bytes(cls, data: bytes) -> "UsageIntent":
        """The intent that `to_bytes` wrote. As UsageRecord.from_bytes."""
        return cls(**decode(data, _INTENT_PARSERS, _INTENT_REQUIRED))


_PARSERS: Mapping[object, Parse] = MappingProxyType(
    {
        str: text,
        RequestId: text,
        int: quantity,
        bool: flag,
        tuple[str, ...]: texts,
        str | None: optional(text),
        int | None: optional(quantity),
        RouteSlug | None: optional(text),
        InstanceId | None: optional(text),
        UsageOutcome: lambda value: UsageOutcome(text(value)),
    }
)


def _parsers(of: type[UsageRecord | UsageIntent]) -> dict[str, Parse]:
    return {field.name: _PARSERS[field.type] for field in fields(of)}


def _required(of: type[UsageRecord | UsageIntent]) -> frozenset[str]:
    return frozenset(field.name for field in fields(of) if field.default is MISSING)


_RECORD_PARSERS, _RECORD_REQUIRED = _parsers(UsageRecord), _required(UsageRecord)
_INTENT_PARSERS, _INTENT_REQUIRED = _parsers(UsageIntent), _required(UsageIntent)
_RECORD_FIELDS, _INTENT_FIELDS = tuple(_RECORD_PARSERS), tuple(_INTENT_PARSERS)
