"""How requests are routed, tried again and timed."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from bootstrap.settings.annotations import (
    Count,
    Flag,
    Interval,
    Multiple,
    Name,
    Natural,
    Percent,
    Rate,
    Section,
    Span,
    StrategyText,
    Threshold,
    Timeout,
)
from domain.catalog import RouterPolicy
from domain.durations import SECOND_US
from domain.resilience.circuit_breaker import CircuitBreakerConfig
from domain.resilience.retry_budget import RetryBudgetConfig
from domain.routing.strategies import parse_strategy


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[Name, ...], BeforeValidator(_as_list)]


class RetryBudgetSettings(Section):
    """Which share of a model's requests may be tried again."""

    percent: Percent = 20
    min_per_second: Natural = 3

    def to_domain(self) -> RetryBudgetConfig:
        """The same for the domain."""
        return RetryBudgetConfig(percent=self.percent, min_per_second=self.min_per_second)


class CircuitBreakerSettings(Section):
    """When an instance is taken out, for how long, and how it comes back."""

    window_us: Annotated[Span, Field(ge=SECOND_US)] = Field(default=30 * SECOND_US, alias="window")
    minimum_calls: Count = 10
    failure_rate: Threshold = 0.5
    slow_call_duration_us: Timeout = Field(default=60 * SECOND_US, alias="slow_call_duration")
    slow_call_rate: Threshold = 1.0
    consecutive_failures: Count = 3
    open_duration_us: Timeout = Field(default=5 * SECOND_US, alias="open_duration")
    max_open_duration_us: Timeout = Field(default=300 * SECOND_US, alias="max_open_duration")
    half_open_probes: Count = 1
    probes_to_close: Count = 2
    max_open_fraction: Rate = 0.5
    slow_start_us: Span = Field(default=30 * SECOND_US, alias="slow_start")

    def to_domain(self) -> CircuitBreakerConfig:
        """The same for the domain, which uses the same names."""
        return CircuitBreakerConfig(**{name: getattr(self, name) for name in type(self).model_fields})


class RouterSettings(Section):
    """The section `router`."""

    routing_strategy: StrategyText = "priority"
    weighted_round_robin: Literal["strict", "local"] = "strict"
    enable_failover: Flag = True
    instance_retry_attempts: Natural = 2
    failover_timeout_multiple: Multiple = 1.5
    enable_model_fallback: Flag = True
    model_fallbacks: Mapping[Name, Names] = Field(default_factory=dict)
    context_window_fallbacks: Mapping[Name, Names] = Field(default_factory=dict)
    default_timeout_us: Timeout = Field(default=300 * SECOND_US, alias="default_timeout")
    first_byte_timeout_us: Timeout = Field(default=60 * SECOND_US, alias="first_byte_timeout")
    idle_timeout_us: Timeout = Field(default=60 * SECOND_US, alias="idle_timeout")
    connect_timeout_us: Timeout = Field(default=3 * SECOND_US, alias="connect_timeout")
    max_deadline_us: Timeout = Field(default=600 * SECOND_US, alias="max_deadline")
    retry_budget: RetryBudgetSettings = RetryBudgetSettings()
    health_check_interval_us: Interval = Field(default=30 * SECOND_US, alias="health_check_interval")
    drop_params: Flag = False
    circuit_breaker: CircuitBreakerSettings = CircuitBreakerSettings()

    def to_domain(self) -> RouterPolicy:
        """The policy of the attempt loop."""
        strategy, _ = parse_strategy(self.routing_strategy)
        return RouterPolicy(
            strategy=strategy,
            enable_failover=self.enable_failover,
            instance_retry_attempts=self.instance_retry_attempts,
            failover_timeout_multiple=self.failover_timeout_multiple,
            enable_model_fallback=self.enable_model_fallback,
            default_timeout_us=self.default_timeout_us,
            first_byte_timeout_us=self.first_byte_timeout_us,
            idle_timeout_us=self.idle_timeout_us,
            connect_timeout_us=self.connect_timeout_us,
            max_deadline_us=self.max_deadline_us,
            drop_params=self.drop_params,
            breaker=self.circuit_breaker.to_domain(),
        )
