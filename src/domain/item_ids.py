"""Ids of what administrators create: `key_`, `team_` or `user_`, and 20 letters and digits in the order of creation."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_CHARACTERS = 20
_BITS_PER_CHARACTER = 5
_CHANCE_BITS = 56
_MILLISECOND_US = 1_000


def item_id(kind: str, now_us: int, random_bits: int) -> str:
    """An id of that kind. Later ones sort after earlier ones, to the millisecond.

    Args:
        kind: Letters.
        now_us: Unix time, before the year 2527.
        random_bits: At least 56 random bits; higher ones are ignored. No secret: who knows an id may nothing by it.
    """
    number = (now_us // _MILLISECOND_US) << _CHANCE_BITS | random_bits & ((1 << _CHANCE_BITS) - 1)
    digits = [_ALPHABET[number >> (_BITS_PER_CHARACTER * place) & 31] for place in reversed(range(_CHARACTERS))]
    return f"{kind}_{''.join(digits)}"
