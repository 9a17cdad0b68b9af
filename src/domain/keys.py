"""The secrets by which callers are known: `mg_`, 256 random bits, and a checksum.

The checksum refuses a typo without asking anybody, and lets scanners of public code find keys that leaked. It is no
proof of anything: anybody can compute it.
"""

from dataclasses import dataclass, field
from hmac import digest as hmac_digest
from zlib import crc32

KEY_PREFIX = "mg_"
SHOWN_CHARACTERS = 8
DIGEST_BYTES = 32
LEAST_PEPPER_BYTES = 16

# In the order of ASCII: texts of one width compare as the numbers they stand for.
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_BITS = 256
_BODY_CHARACTERS = 43
_CHECKSUM_CHARACTERS = 6
_CHECKSUM_STARTS = len(KEY_PREFIX) + _BODY_CHARACTERS
KEY_CHARACTERS = _CHECKSUM_STARTS + _CHECKSUM_CHARACTERS


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A well-formed key in plain text, to be shown once. Its representation keeps it to itself.

    Raises:
        ValueError: The text is no well-formed key. The message does not quote it.
    """

    text: str = field(repr=False)

    def __post_init__(self) -> None:
        _check_key(self.text)


def mint(random_bits: int) -> SecretKey:
    """The key made of `random_bits`: at least 256 bits fit for secrets; higher ones are ignored."""
    body = _base62(random_bits & ((1 << _RANDOM_BITS) - 1), _BODY_CHARACTERS)
    return SecretKey(KEY_PREFIX + body + _checksum(body))


def parse(text: str) -> SecretKey | None:
    """The key that `text` is, character for character; None for anything else."""
    return SecretKey(text) if is_well_formed(text) else None


def is_well_formed(text: str) -> bool:
    """Whether `mint` could have made it. Costs no more for a long text than for a short one.

    One changed character, or two neighbours swapped, within body or checksum is always seen; a swap across the border
    between the two, like any other change, passes once in 4 billion times.
    """
    if len(text) != KEY_CHARACTERS or not text.startswith(KEY_PREFIX) or not text.isascii():
        return False
    body, checksum = text[len(KEY_PREFIX) : _CHECKSUM_STARTS], text[_CHECKSUM_STARTS:]
    # Letters and digits of ASCII are the alphabet. No secret decides how long the comparisons take.
    return body.isalnum() and body <= _LARGEST_BODY and checksum == _checksum(body)


def digest(pepper: bytes, key: str) -> bytes:
    """HMAC-SHA256 of a well-formed key, 32 bytes: what is stored and looked up in its place.

    So many random bits need no slow hash. The pepper keeps who reads the database from testing keys found elsewhere.

    Raises:
        ValueError: The pepper is shorter than 16 bytes.
    """
    if len(pepper) < LEAST_PEPPER_BYTES:
        raise ValueError(f"expected a pepper of at least {LEAST_PEPPER_BYTES} bytes, found {len(pepper)}")
    return hmac_digest(pepper, key.encode(), "sha256")


def shown_prefix(key: str) -> str:
    """The 8 characters after `mg_` of a well-formed key, for lists. 208 random bits stay hidden.

    Raises:
        ValueError: It is no well-formed key: of another secret, 8 characters could be too many.
    """
    _check_key(key)
    return key[len(KEY_PREFIX) : len(KEY_PREFIX) + SHOWN_CHARACTERS]


def is_shown_prefix(text: str) -> bool:
    """Whether a key can begin with it."""
    return len(text) == SHOWN_CHARACTERS and text.isascii() and text.isalnum()


def _check_key(text: str) -> None:
    if not is_well_formed(text):
        raise ValueError("expected a well-formed key")


def _checksum(body: str) -> str:
    return _base62(crc32(body.encode()), _CHECKSUM_CHARACTERS)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


_LARGEST_BODY = _base62((1 << _RANDOM_BITS) - 1, _BODY_CHARACTERS)
