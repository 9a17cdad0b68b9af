"""What Cohere says of tokens."""

from collections.abc import Mapping
from typing import Final

from domain.chat import Usage

_MAX_TOKENS: Final = 2**53


def usage_of(told: object) -> Usage | None:
    """The usage in a chat's `usage` or an embedding's `meta`; None where it is missing or can't be believed.

    What Cohere bills, for prices are by its measure: its `tokens` count its own preamble as well.
    """
    if not isinstance(told, Mapping):
        return None
    for counted in (told.get("billed_units"), told.get("tokens")):
        if not isinstance(counted, Mapping):
            continue
        given, made = _tokens(counted.get("input_tokens")), _tokens(counted.get("output_tokens", 0))
        if given is not None and made is not None:
            cached = _tokens(told.get("cached_tokens")) or 0
            return Usage(given, made, cached if cached <= given else 0)
    return None


def _tokens(value: object) -> int | None:
    """Cohere's numbers may be floats."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_TOKENS:
        return None
    return int(value)
