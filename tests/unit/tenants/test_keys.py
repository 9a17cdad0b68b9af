import string
from hashlib import sha256
from random import Random
from zlib import crc32

import pytest

from domain.keys import (
    KEY_CHARACTERS,
    SecretKey,
    digest,
    is_shown_prefix,
    is_well_formed,
    mint,
    parse,
    shown_prefix,
)

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
BITS = int.from_bytes(sha256(b"a key for tests").digest(), "big")
KEY = mint(BITS).text
PEPPER = bytes(range(32))
LARGEST = (1 << 256) - 1


def number(digits: str) -> int:
    value = 0
    for digit in digits:
        value = value * 62 + ALPHABET.index(digit)
    return value


def base62(value: int, width: int) -> str:
    return "".join(ALPHABET[value // 62**place % 62] for place in reversed(range(width)))


def with_checksum(body: str) -> str:
    return f"mg_{body}{base62(crc32(body.encode()), 6)}"


@pytest.mark.parametrize("bits", [0, 1, 61, 62, BITS, LARGEST])
def test_a_minted_key_holds_its_random_bits_and_the_checksum_of_its_body(bits: int) -> None:
    text = mint(bits).text

    assert (len(text), text[:3]) == (KEY_CHARACTERS, "mg_") == (52, "mg_")
    assert number(text[3:46]) == bits
    assert number(text[46:]) == crc32(text[3:46].encode())
    assert parse(text) == mint(bits)


def test_the_format_of_keys_stays_as_it_was_given_out() -> None:
    assert mint(0).text == "mg_" + "0" * 43 + "2CZclj"
    assert KEY == "mg_eWLwyA9ItAnZeaHMGlXNPw05gEn22bXFhXcctsa18Ef3xDIZk"


def test_more_than_256_bits_change_nothing() -> None:
    assert mint(BITS | 1 << 256) == mint(BITS)


def test_every_change_of_one_character_is_refused() -> None:
    others = [chr(code) for code in range(128)] + ["é", "²", "٣", "\uff41", "\ud800"]
    changed = [KEY[:at] + other + KEY[at + 1 :] for at in range(len(KEY)) for other in others if other != KEY[at]]

    assert len(changed) == 52 * (len(others) - 1)
    assert [text for text in changed if is_well_formed(text)] == []


def test_every_swap_of_two_neighbours_is_refused() -> None:
    pairs = [at for at in range(len(KEY) - 1) if KEY[at] != KEY[at + 1]]
    swapped = [KEY[:at] + KEY[at + 1] + KEY[at] + KEY[at + 2 :] for at in pairs]

    assert len(swapped) > 40
    assert [text for text in swapped if is_well_formed(text)] == []


def test_every_missing_or_additional_character_is_refused() -> None:
    shorter = [KEY[:at] + KEY[at + 1 :] for at in range(len(KEY))]
    longer = [KEY[:at] + other + KEY[at:] for at in range(len(KEY) + 1) for other in "0z\n "]

    assert [text for text in shorter + longer if is_well_formed(text)] == []


def test_random_strings_are_refused() -> None:
    random = Random(4)  # the same ones in each run
    shaped = ["mg_" + "".join(random.choices(ALPHABET, k=49)) for _ in range(5_000)]
    printable = ["".join(random.choices(string.printable, k=random.randrange(80))) for _ in range(5_000)]

    assert [text for text in shaped + printable if is_well_formed(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mg_",
        "mg_master_" + "a" * 42,
        "sk-" + KEY[3:],
        "MG_" + KEY[3:],
        " " + KEY[:-1],
        KEY + "\n",
        KEY + "\r\nx-admin: 1",
        KEY + "\x00",
        KEY[:-1] + "\x00",
        "Bearer " + KEY,
        "mg_' OR '1'='1' --",
        KEY[:20] + "'; DROP TABLE keys; --",
        "\uff4d\uff47_" + KEY[3:],
        KEY * 200,
        "mg_" + "0" * 10_240,
        "\udcff" * 52,
        "mg_" + "\udcff" * 49,
    ],
)
def test_hostile_text_is_refused(text: str) -> None:
    assert not is_well_formed(text)
    assert parse(text) is None
    with pytest.raises(ValueError, match=r"^expected a well-formed key$"):
        SecretKey(text)


@pytest.mark.parametrize(
    "body",
    ["' OR 1=1 --" + "0" * 32, "0" * 42 + "\n", "0" * 42 + "_", "0" * 20 + "\x00" * 23, "0" * 42 + "é", "0" + "²" * 42],
)
def test_a_right_checksum_does_not_make_a_key_of_other_characters(body: str) -> None:
    assert len(with_checksum(body)) == KEY_CHARACTERS
    assert not is_well_formed(with_checksum(body))


def test_a_number_above_256_bits_is_no_key() -> None:
    assert is_well_formed(with_checksum(base62(LARGEST, 43)))
    assert not is_well_formed(with_checksum(base62(LARGEST + 1, 43)))
    assert not is_well_formed(with_checksum("z" * 43))


def test_a_digest_is_hmac_sha256() -> None:
    inner = sha256(bytes(byte ^ 0x36 for byte in PEPPER.ljust(64, b"\0")) + KEY.encode()).digest()
    outer = sha256(bytes(byte ^ 0x5C for byte in PEPPER.ljust(64, b"\0")) + inner).digest()

    assert digest(PEPPER, KEY) == outer


def test_another_pepper_or_another_key_has_another_digest() -> None:
    digests = {digest(PEPPER, KEY), digest(PEPPER[::-1], KEY), digest(PEPPER, mint(BITS + 1).text)}

    assert len(digests) == 3


@pytest.mark.parametrize("length", [0, 15])
def test_a_pepper_that_could_be_guessed_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="expected a pepper of at least 16 bytes"):
        digest(bytes(length), KEY)
    assert len(digest(bytes(16), KEY)) == 32


def test_lists_show_the_eight_characters_after_the_prefix() -> None:
    assert shown_prefix(KEY) == KEY[3:11]
    assert is_shown_prefix(shown_prefix(KEY))


def test_of_what_is_no_key_nothing_is_shown() -> None:
    with pytest.raises(ValueError, match=r"^expected a well-formed key$"):
        shown_prefix("mg_master_secret")


@pytest.mark.parametrize("shown", [repr, str, "{}".format, lambda key: f"{[key]!r}"])
def test_the_representation_of_a_key_keeps_it_secret(shown: object) -> None:
    assert callable(shown)
    text = shown(mint(BITS))

    assert "SecretKey" in text
    assert not any(KEY[at : at + 4] in text for at in range(len(KEY) - 3))
