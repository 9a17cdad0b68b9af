"""The whole configuration."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from application.billing.estimate import Terms
from bootstrap.settings.annotations import Name, Section
from bootstrap.settings.contradictions import contradictions
from bootstrap.settings.errors import Contradiction
from bootstrap.settings.models import ModelSettings, RouteSettings
from bootstrap.settings.providers import EchoProvider
from bootstrap.settings.router import RouterSettings
from bootstrap.settings.sections import (
    AuthSettings,
    BudgetSettings,
    CacheSettings,
    DatabaseSettings,
    ObservabilitySettings,
    PricingSettings,
    RateLimitSettings,
    RedisSettings,
    ServerSettings,
    UsageSettings,
)

Mode = Literal["auto", "lite", "full"]
State = Literal["auto", "redis", "memory"]

_BUILT_IN = ModelSettings(model_name="echo", provider=EchoProvider())


class Settings(Section):
    """Every key with its default. Without a `model_list` there is the built-in model `echo`.

    Raises:
        pydantic.ValidationError: On construction; `load_settings` turns it into lines for the operator.
    """

    mode: Mode = "auto"
    state: State = "auto"
    server: ServerSettings = ServerSettings()
    redis: RedisSettings = RedisSettings()
    database: DatabaseSettings = DatabaseSettings()
    auth: AuthSettings = AuthSettings()
    router: RouterSettings = RouterSettings()
    model_list: tuple[ModelSettings, ...] = ()
    model_aliases: Mapping[Name, Name] = Field(default_factory=dict)
    routes: tuple[RouteSettings, ...] = ()
    rate_limit: RateLimitSettings = RateLimitSettings()
    cache: CacheSettings = CacheSettings()
    budgets: BudgetSettings = BudgetSettings()
    usage: UsageSettings = UsageSettings()
    pricing: PricingSettings = PricingSettings()
    observability: ObservabilitySettings = ObservabilitySettings()

    @property
    def models(self) -> tuple[ModelSettings, ...]:
        """The entries in force: those of `model_list`, or the built-in one."""
        return self.model_list or (_BUILT_IN,)

    @property
    def terms(self) -> Terms:
        """How money is reserved."""
        return Terms(
            upper_bound=self.budgets.reservation == "upper-bound",
            default_output_tokens=self.budgets.default_output_tokens,
            unpriced_request_nano=self.pricing.unpriced_request_nano,
            ttl_us=self.budgets.reservation_ttl_us,
        )

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        lines = contradictions(self)
        if lines:
            raise Contradiction(lines)
        return self
