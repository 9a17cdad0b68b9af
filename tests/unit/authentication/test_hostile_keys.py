"""Credentials that were made up: nobody's, and nothing grows by them."""

import random
import string
from dataclasses import replace
from hashlib import sha256

import pytest

from adapters.testing.virtual_time import ManualClock
from application.authentication.key_cache import KeyCache
from domain.grant import Grant
from domain.keys import KEY_CHARACTERS
from domain.tenants import TeamId
from tests.unit.authentication.key_store import FakeKeyStore, Gateway, gateway, key_of, secret

CHANCE = random.Random(7)


def made_up(count: int) -> list[str]:
    """Half of them well-formed, the others of the same length."""
    letters = string.ascii_letters + string.digits
    typos = ["mg_" + "".join(CHANCE.choices(letters, k=KEY_CHARACTERS - 3)) for _ in range(count // 2)]
    return [secret(CHANCE.getrandbits(256)) for _ in range(count // 2)] + typos


def sizes(made: Gateway) -> tuple[int, int, int]:
    cache = made.cache
    return len(cache._known), len(cache._unknown_until_us), len(made.authenticator._keys._reading)


async def test_ten_thousand_random_tokens_are_nobodys_and_leave_no_more_than_fits() -> None:
    clock = ManualClock()
    made = gateway(FakeKeyStore(), clock, KeyCache(clock, most_unknown=1_000))
    await made.feed.catch_up()

    ids = {await made.id_of(token) for token in made_up(10_000)}

    assert ids == {None}
    assert sizes(made) == (0, 1_000, 0)
    assert made.store.lookups == 5_000


async def test_each_well_formed_token_costs_one_question_whatever_is_wrong_with_it() -> None:
    revoked, almost = secret(1), secret(2)
    made = gateway(FakeKeyStore())
    made.store.put(Grant(replace(key_of(revoked, "revoked"), revoked_at_us=1)))
    await made.feed.catch_up()

    for asked, token in enumerate([revoked, almost, *(secret(10 + number) for number in range(20))], 1):
        assert await made.id_of(token) is None
        assert asked == made.store.lookups


@pytest.mark.parametrize(
    "token",
    [
        "",
        " ",
        "mg_",
        "' OR 1=1 --",
        "mg_' UNION SELECT digest FROM keys; DROP TABLE keys; --".ljust(KEY_CHARACTERS, "x"),
        "mg_x\r\nx-api-key: mg_master_contract",
        "mg_x\r\n\r\nGET /admin/v1/keys HTTP/1.1".ljust(KEY_CHARACTERS, "0"),
        "mg_" + "\x00" * (KEY_CHARACTERS - 3),
        "mg_" + "٣" * (KEY_CHARACTERS - 3),
        "\udcff",
        chr(0xD800),
        "k" * 16_000,
        secret(1) + " ",
        secret(1) + "\n",
        secret(1).lower(),
        f"{secret(1)}, {secret(1)}",
    ],
)
async def test_what_can_be_no_key_asks_no_store(token: str) -> None:
    made = gateway(FakeKeyStore())
    made.store.put(Grant(key_of(secret(1))))
    await made.feed.catch_up()
    await made.id_of(secret(1))

    assert await made.id_of(token) is None
    assert (made.store.lookups, sizes(made)) == (1, (1, 0, 0))


async def test_two_keys_that_begin_alike_are_two_keys() -> None:
    """CVE-2026-35030: a cache that went by the first 20 characters took one for the other."""
    mine, theirs, nobodys = secret(1 << 200), secret((1 << 200) + 1), secret((1 << 200) + 2)
    assert mine[:20] == theirs[:20] == nobodys[:20]
    made = gateway(FakeKeyStore())
    made.store.put(Grant(key_of(mine, "mine")))
    made.store.put(Grant(key_of(theirs, "theirs")))
    await made.feed.catch_up()

    ids = [await made.id_of(text) for text in (mine, theirs, nobodys) * 2]

    assert ids == ["mine", "theirs", None] * 2


async def test_an_unknown_key_is_asked_for_again_after_30_seconds() -> None:
    clock = ManualClock()
    made = gateway(FakeKeyStore(), clock)
    await made.feed.catch_up()
    await made.id_of(secret(1))

    for span_us, lookups in ((29_999_999, 1), (1, 2)):
        clock.advance(span_us)
        await made.feed.catch_up()
        await made.id_of(secret(1))
        assert lookups == made.store.lookups


async def test_the_keys_that_were_used_last_are_kept_and_nothing_of_the_others_remains() -> None:
    clock = ManualClock()
    made = gateway(FakeKeyStore(), clock, KeyCache(clock, most_keys=3))
    for number in range(5):
        made.store.put(Grant(replace(key_of(secret(number), f"k{number}"), team_id=TeamId(f"t{number}"))))
    await made.feed.catch_up()

    for number in (0, 1, 2, 0, 3, 4):
        await made.id_of(secret(number))

    kept = [number for number in range(5) if made.cache.find(sha256(secret(number).encode()).digest()) is not None]
    assert kept == [0, 3, 4]
    assert set(made.cache._touched_by) == {
        f"{kind}:{letter}{n}" for n in kept for kind, letter in (("key", "k"), ("team", "t"))
    }
