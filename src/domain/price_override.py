"""A price that an administrator has set."""

from dataclasses import dataclass

from domain.pricing import Prices

LARGEST_PRICE_NANO = 10**15
"""A million dollars for a million tokens. More is a mistake."""


@dataclass(frozen=True, slots=True)
class PriceOverride:
    """What a model of a provider costs from `effective_at_us` on. Nano-dollars per 1,000,000 tokens.

    Raises:
        ValueError: A name is empty or a price is out of range.
    """

    provider: str
    model: str
    effective_at_us: int
    prices: Prices

    def __post_init__(self) -> None:
        if not self.provider or not self.model:
            raise ValueError("expected a provider and a model")
        for price_nano in (self.prices.input, self.prices.output, self.prices.cached_input or 0):
            if not 0 <= price_nano <= LARGEST_PRICE_NANO:
                raise ValueError(f"expected a price from 0 to {LARGEST_PRICE_NANO}, found {price_nano}")
