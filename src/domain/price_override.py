"""A price that an administrator has set."""

from dataclasses import dataclass

from domain.pricing import Prices
from domain.tenants import check_name

LARGEST_PRICE_NANO = 10**15
"""A million dollars for a million tokens, or units. More is a mistake."""

_LATEST_US = 2**63 - 1


@dataclass(frozen=True, slots=True)
class PriceOverride:
    """What a model of a provider costs from `effective_at_us` on.

    Raises:
        ValueError: A name is none, or a price or the instant is out of range.
    """

    provider: str
    model: str
    effective_at_us: int
    prices: Prices

    def __post_init__(self) -> None:
        check_name(self.provider, "provider")
        check_name(self.model, "model")
        if "/" in self.provider:
            raise ValueError(f"expected a provider without slashes, found {self.provider[:50]!r}")
        if type(self.effective_at_us) is not int or not 0 <= self.effective_at_us <= _LATEST_US:
            raise ValueError(f"expected microseconds since 1970, found {self.effective_at_us!r}")
        prices = self.prices
        for price_nano in (prices.input, prices.output, prices.cached_input or 0, prices.unit):
            if not 0 <= price_nano <= LARGEST_PRICE_NANO:
                raise ValueError(f"expected a price from 0 to {LARGEST_PRICE_NANO}, found {price_nano}")
