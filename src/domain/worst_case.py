"""The most that a request can cost, whichever of its candidates answers."""

from collections.abc import Iterable

from domain.chat import Usage
from domain.price_book import Priced, Unpriced
from domain.pricing import Prices


def worst_case_nano(
    candidates: Iterable[Priced | Unpriced],
    input_tokens: int,
    output_tokens: int,
    unpriced_request_nano: int = 0,
    units: int = 0,
) -> int:
    """Nano-dollars that no candidate's cost exceeds while usage stays within both numbers of tokens, and the units.

    An unpriced candidate counts `unpriced_request_nano`. Without candidates nothing can be spent: 0.
    """
    return max(
        (
            unpriced_request_nano
            if isinstance(candidate, Unpriced)
            else _dearest_nano(candidate.prices, input_tokens, output_tokens, units)
            for candidate in candidates
        ),
        default=0,
    )


def _dearest_nano(prices: Prices, input_tokens: int, output_tokens: int, units: int) -> int:
    # A cached token is not always the cheaper one: a price list may say otherwise.
    cached = 0 if prices.cached_input is None or prices.cached_input <= prices.input else input_tokens
    return prices.cost_nano(Usage(input_tokens, output_tokens, cached, units=units))
