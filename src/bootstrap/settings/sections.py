"""The sections that are not about models: server, stores, authentication, limits, cache, money, observability.

Sections of features that this version doesn't have yet are validated all the same, so that a file stays good.
"""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from application.degrading.store_failure import OnStoreFailure
from bootstrap.settings.annotations import (
    Count,
    Dollars,
    Flag,
    HttpUrl,
    Name,
    Natural,
    Network,
    OptionalLimit,
    Port,
    Secret,
    Section,
    Span,
    Timeout,
)
from domain.caching import CachePolicy, CacheScope
from domain.chat import Endpoint
from domain.durations import SECOND_US
from domain.keys import LEAST_PEPPER_BYTES
from domain.limits.limit import Algorithm
from domain.limits.rate_policy import RatePolicy

OnStoreFailureText = Literal["degrade", "open", "closed"]

_MIB = 1024 * 1024


def _with_scheme(*schemes: str) -> AfterValidator:
    expectation = ", ".join(f"{scheme}://" for scheme in schemes)

    def check(value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and (urlsplit(text).scheme not in schemes or "://" not in text):
            raise ValueError(f"expected a URL that begins with one of {expectation}")
        return value

    return AfterValidator(check)


_REDIS = _with_scheme("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster")
RedisUrl = Annotated[Secret, _REDIS]
DatabaseUrl = Annotated[Secret, _with_scheme("sqlite", "postgresql", "postgres")]


def _unguessable(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if text and len(text.encode()) < LEAST_PEPPER_BYTES:
        raise ValueError(f"expected at least {LEAST_PEPPER_BYTES} characters, or none at all")
    return value


class ServerSettings(Section):
    """Where it listens. Port 0 takes any free one."""

    host: Name = "127.0.0.1"
    port: Port = 8080
    workers: Count = 1
    graceful_timeout_us: Span = Field(default=120 * SECOND_US, alias="graceful_timeout")
    max_body_bytes: Count = 32 * _MIB


class RedisSettings(Section):
    """The shared state. An empty URL: none."""

    url: RedisUrl = SecretStr("")
    prefix: Name = "mg:v1:"
    command_timeout_us: Timeout = Field(default=SECOND_US // 10, alias="command_timeout")
    connect_timeout_us: Timeout = Field(default=SECOND_US // 10, alias="connect_timeout")


class DatabaseSettings(Section):
    """Users, keys, budgets and the ledger. An empty URL: a SQLite file in the data directory."""

    url: DatabaseUrl = SecretStr("")


class AuthSettings(Section):
    """Who may come in. An empty master key or pepper is generated once and kept."""

    master_key: Secret = SecretStr("")
    require_auth: Flag = True
    key_pepper: Annotated[Secret, AfterValidator(_unguessable)] = SecretStr("")
    trusted_proxies: tuple[Network, ...] = ()

    @property
    def trusted_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The same, parsed; an address is a network of one."""
        return tuple(ip_network(text, strict=False) for text in self.trusted_proxies)


class RateLimitSettings(Section):
    """Requests per minute of one caller. None: no limit."""

    enabled: Flag = True
    algorithm: Literal["sliding-window", "token-bucket", "fixed-window"] = "sliding-window"
    global_rpm: OptionalLimit = None
    chat_completions_rpm: OptionalLimit = None
    completions_rpm: OptionalLimit = None
    embeddings_rpm: OptionalLimit = None
    on_store_failure: OnStoreFailureText = "degrade"

    @property
    def failure_policy(self) -> OnStoreFailure:
        """What is done while Redis is away."""
        return OnStoreFailure(self.on_store_failure)

    @property
    def policy(self) -> RatePolicy:
        """The same for the domain."""
        if not self.enabled:
            return RatePolicy()
        own = {
            Endpoint.CHAT: self.chat_completions_rpm,
            Endpoint.COMPLETIONS: self.completions_rpm,
            Endpoint.EMBEDDINGS: self.embeddings_rpm,
        }
        by_endpoint = {endpoint: limit for endpoint, limit in own.items() if limit is not None}
        return RatePolicy(Algorithm(self.algorithm), self.global_rpm, by_endpoint)


class CacheSettings(Section):
    """The response cache. An empty URL: the one of `redis`."""

    enabled: Flag = True
    ttl_us: Timeout = Field(default=3600 * SECOND_US, alias="ttl")
    max_entry_bytes: Count = _MIB
    max_bytes: Count = 256 * _MIB
    max_keyed_bytes: Count = 64 * _MIB
    scope: Literal["team", "user", "key", "global"] = "team"
    url: RedisUrl = SecretStr("")

    @property
    def policy(self) -> CachePolicy:
        """The same for the domain."""
        return CachePolicy(self.enabled, self.ttl_us, CacheScope(self.scope))


class BudgetSettings(Section):
    """How money is reserved before a call."""

    on_store_failure: OnStoreFailureText = "closed"
    reservation: Literal["upper-bound", "expected"] = "upper-bound"
    reservation_ttl_us: Timeout = Field(default=660 * SECOND_US, alias="reservation_ttl")
    default_output_tokens: Count = 150

    @property
    def failure_policy(self) -> OnStoreFailure:
        """What is done while Redis is away."""
        return OnStoreFailure(self.on_store_failure)


class UsageSettings(Section):
    """How usage records reach the ledger."""

    batch_size: Count = 100
    max_retries: Natural = 3
    stream_shards: Count = 8


class PricingSettings(Section):
    """Prices beyond the list that ships."""

    file: str = ""
    require: Flag = False
    unpriced_request_nano: Dollars = Field(default=10_000_000, alias="unpriced_request_usd")


class ObservabilitySettings(Section):
    """Logs, traces and metrics. An empty endpoint: no traces leave."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "text"] = "json"
    otlp_endpoint: HttpUrl = ""
    metrics: Flag = True
