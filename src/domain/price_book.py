"""What a model costs, and who says so: own prices, an override, or the list that ships."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from domain.pricing import Prices


class PriceLayer(StrEnum):
    """Who set a price, the strongest first."""

    INSTANCE = "instance"
    API = "api"
    FILE = "file"
    SHIPPED = "shipped"


@dataclass(frozen=True, slots=True)
class PricePeriod:
    """Prices from a moment on, until the next period of the same model. None: from the start."""

    prices: Prices
    starts_us: int | None = None


@dataclass(frozen=True, slots=True)
class PriceList:
    """Prices by provider type and upstream model, each model's periods in order of their start.

    Attributes:
        dated: The day the list speaks for, `YYYY-MM-DD`.
        days: The same for entries that were checked on another day.
    """

    dated: str
    models: Mapping[tuple[str, str], tuple[PricePeriod, ...]]
    days: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def day_of(self, key: tuple[str, str]) -> str:
        """The day that entry speaks for, where it has one of its own; else the list's."""
        return self.days.get(key, self.dated)


@dataclass(frozen=True, slots=True)
class Priced:
    """What a model costs. `dated` and `matched` say by which entry; both empty for an instance's own prices."""

    prices: Prices
    layer: PriceLayer
    dated: str = ""
    matched: str = ""


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Nobody has a price for this model. That is not a price of zero."""

    provider: str
    upstream_model: str


@dataclass(frozen=True, slots=True)
class PriceBook:
    """The lists that hold at present. Replaced whole when one changes."""

    shipped: PriceList
    file: PriceList | None = None
    api: PriceList | None = None

    def find(self, provider: str, upstream_model: str, now_us: int, own: Prices | None = None) -> Priced | Unpriced:
        """The price by the strongest layer that has one. `own`: set for the instance, None where it sets none."""
        if own is not None:
            return Priced(own, PriceLayer.INSTANCE)
        layers = ((PriceLayer.API, self.api), (PriceLayer.FILE, self.file), (PriceLayer.SHIPPED, self.shipped))
        # A reseller's own entry in any list says more about it than the maker's in a stronger one.
        for keys in _keys(provider, upstream_model):
            for layer, listed in layers:
                if listed is not None and (found := _look_up(listed, layer, keys, now_us)) is not None:
                    return found
        return Unpriced(provider, upstream_model)

    def next_start_us(self, now_us: int) -> int | None:
        """When another price comes into force, whichever model's; None where all stays as it is. Costs a walk."""
        listed = (layer for layer in (self.api, self.file, self.shipped) if layer is not None)
        starts = (period.starts_us for layer in listed for periods in layer.models.values() for period in periods)
        return min((start_us for start_us in starts if start_us is not None and start_us > now_us), default=None)


# A whole date, and nothing shorter: `-0613` or `-2411` also ends the names of models that cost something else.
_DATE = re.compile(r"[-@]20\d\d(-?)(0[1-9]|1[0-2])\1(0[1-9]|[12]\d|3[01])$")
_BEDROCK = re.compile(r"(?:(?:us|us-gov|eu|apac|jp|au|ca|global)\.)?(?P<maker>anthropic|cohere|mistral)\.(?P<model>.+)")
_BEDROCK_VERSION = re.compile(r"-v\d+(:\d+)?$")
# The maker is read off a name's start; on Vertex it is the publisher's own name for the model.
_VERTEX_MAKERS: Final = (("gemini-", "gemini"), ("claude-", "anthropic"))


def undated(model: str) -> str:
    """The name without the date of a snapshot: `gpt-4o-2024-08-06` → `gpt-4o`. Other names stay as they are."""
    return _DATE.sub("", model)


def _look_up(listed: PriceList, layer: PriceLayer, keys: tuple[tuple[str, str], ...], now_us: int) -> Priced | None:
    for key in keys:
        periods = listed.models.get(key)
        if periods is not None:
            # The exact entry decides: one that starts later does not hand over to a name that is less exact.
            prices = _in_force(periods, now_us)
            return None if prices is None else Priced(prices, layer, listed.day_of(key), key[1])
    return None


def _in_force(periods: tuple[PricePeriod, ...], now_us: int) -> Prices | None:
    for period in reversed(periods):
        if period.starts_us is None or period.starts_us <= now_us:
            return period.prices
    return None


def _keys(provider: str, model: str) -> Iterator[tuple[tuple[str, str], ...]]:
    """Where to look: under the provider's own name, then under the maker's; the exact name before the undated one."""
    yield _spellings(provider, model)
    if (made := _maker(provider, model)) is not None:
        yield _spellings(*made)


def _spellings(provider: str, model: str) -> tuple[tuple[str, str], ...]:
    plain = undated(model)
    return ((provider, model),) if plain == model else ((provider, model), (provider, plain))


def _maker(provider: str, model: str) -> tuple[str, str] | None:
    """Whose model a reseller's name stands for; None where the name does not tell."""
    match provider:
        case "azure":
            return "openai", model
        case "bedrock" if named := _BEDROCK.fullmatch(model):
            return named["maker"], _BEDROCK_VERSION.sub("", named["model"])
        case "vertex":
            return next(((maker, model) for start, maker in _VERTEX_MAKERS if model.startswith(start)), None)
        case _:
            return None
