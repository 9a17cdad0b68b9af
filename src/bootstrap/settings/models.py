"""Entries of `model_list` and `routes`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bootstrap.settings.annotations import (
    Flag,
    Integer,
    Name,
    OptionalCount,
    OptionalLimit,
    OptionalTimeout,
    OptionalToken,
    Price,
    Section,
    StrategyText,
    Token,
    Weight,
)
from bootstrap.settings.providers import ProviderSettings
from domain.catalog import InstanceLimits
from domain.pricing import Prices

Capability = Literal[
    "chat",
    "completions",
    "embeddings",
    "models",
    "responses",
    "moderations",
    "images",
    "transcriptions",
    "translations",
    "speech",
    "rerank",
]


class ModelSettings(Section):
    """One instance of a model; entries with one `model_name` serve the same model. None: unknown, or no limit.

    `input_cost_per_token` and its sisters are dollars in the file and nano-dollars per million tokens in here;
    `cost_per_unit` likewise.
    """

    model_name: Name
    id: OptionalToken = None
    provider: ProviderSettings
    priority: Integer = 0
    weight: Weight = 1.0
    timeout_us: OptionalTimeout = Field(default=None, alias="timeout")
    rpm: OptionalLimit = None
    tpm: OptionalLimit = None
    max_parallel: OptionalLimit = None
    input_price_nano: Price = Field(default=None, alias="input_cost_per_token")
    output_price_nano: Price = Field(default=None, alias="output_cost_per_token")
    cached_input_price_nano: Price = Field(default=None, alias="cached_input_cost_per_token")
    unit_price_nano: Price = Field(default=None, alias="cost_per_unit")
    context_window: OptionalCount = None
    max_output_tokens: OptionalCount = None
    capabilities: tuple[Capability, ...] = ()
    tags: tuple[Token, ...] = ()
    routing_group: Token = "main"
    enabled: Flag = True

    @property
    def limits(self) -> InstanceLimits:
        """What it may carry."""
        return InstanceLimits(self.rpm, self.tpm, self.max_parallel)

    @property
    def own_prices(self) -> Prices | None:
        """What it costs; None where the file says nothing of it. One price alone leaves the others at 0."""
        given = (self.input_price_nano, self.output_price_nano, self.cached_input_price_nano, self.unit_price_nano)
        if all(price_nano is None for price_nano in given):
            return None
        return Prices(
            self.input_price_nano or 0,
            self.output_price_nano or 0,
            self.cached_input_price_nano,
            self.unit_price_nano or 0,
        )


def _at_least_one(members: tuple["RouteModelSettings", ...]) -> tuple["RouteModelSettings", ...]:
    if not members:
        raise ValueError("expected at least one model")
    return members


class RouteModelSettings(Section):
    """A model of a route."""

    model_name: Name
    weight: Weight = 1.0
    priority: Integer = 0


class RouteSettings(Section):
    """A named group of models; clients ask for its slug. The name defaults to the slug."""

    slug: Name
    name: str = ""
    strategy: StrategyText = "priority"
    models: Annotated[tuple[RouteModelSettings, ...], AfterValidator(_at_least_one)]
    fallback_models: tuple[Name, ...] = ()
    enabled: Flag = True
