import pytest

from application.authentication.key_pepper import KeyPepper
from tests.unit.authentication.key_store import FakeKeyStore


async def test_a_configured_pepper_asks_no_store() -> None:
    store = FakeKeyStore(away=True)

    assert await KeyPepper(store, store, "sixteen bytes...").value() == b"sixteen bytes..."


async def test_without_one_the_fleet_keeps_the_first_that_was_made_up() -> None:
    store = FakeKeyStore(named={"key_pepper": b"of another gateway"})

    assert await KeyPepper(store, store).value() == b"of another gateway"


async def test_a_made_up_pepper_has_32_bytes_and_is_asked_for_once() -> None:
    store = FakeKeyStore()
    pepper = KeyPepper(store, store)

    first = await pepper.value()
    store.away = True

    assert (b"\xff" * 32, first) == (first, await pepper.value())


def test_a_pepper_that_could_be_guessed_is_refused() -> None:
    store = FakeKeyStore()

    with pytest.raises(ValueError, match="at least 16 bytes, found 15"):
        KeyPepper(store, store, "x" * 15)
