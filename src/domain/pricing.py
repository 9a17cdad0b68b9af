"""Tokens to nano-dollars, and the estimates made before the real numbers are known."""

from dataclasses import dataclass

from domain.chat import Usage
from domain.money import TOKENS_PER_PRICE

CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Prices:
    """Nano-dollars per 1,000,000 tokens, and per 1,000,000 units of other work. `cached_input` falls back to `input`.

    A request costs both: what is counted in one of them has no price of the other.
    """

    input: int = 0
    output: int = 0
    cached_input: int | None = None
    unit: int = 0

    def cost_nano(self, usage: Usage) -> int:
        """Nano-dollars for `usage`, rounded up once at the end."""
        cached_price = self.input if self.cached_input is None else self.cached_input
        fresh = usage.input_tokens - usage.cached_input_tokens
        total = fresh * self.input + usage.cached_input_tokens * cached_price + usage.output_tokens * self.output
        total += usage.units * self.unit
        return -(-total // TOKENS_PER_PRICE)


def estimate_tokens(characters: int) -> int:
    """Tokens in a text of that many characters, at four to a token, rounded up."""
    return -(-characters // CHARACTERS_PER_TOKEN)
