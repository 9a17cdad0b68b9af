"""The store of keys is away: what goes on, what waits, and nothing is called wrong."""

import asyncio

import pytest

from adapters.testing.virtual_time import ManualClock, VirtualClock, run_virtual
from application.authentication.key_lookup import KEPT_WHILE_AWAY_US
from application.errors import StateUnavailable
from domain.durations import SECOND_US
from domain.grant import Grant
from tests.unit.authentication.key_store import MASTER_KEY, FakeKeyStore, Gateway, gateway, key_of, secret

KNOWN, OTHER, NOBODYS = secret(1), secret(2), secret(3)


async def met(clock: ManualClock) -> Gateway:
    """A gateway that knows one of two keys and has heard that nobody has the third; then the store goes away."""
    store = FakeKeyStore()
    store.put(Grant(key_of(KNOWN, "known")))
    store.put(Grant(key_of(OTHER, "other")))
    made = gateway(store, clock)
    await made.feed.catch_up()
    assert [await made.id_of(KNOWN), await made.id_of(NOBODYS)] == ["known", None]
    store.away = True
    await made.feed.catch_up()
    return made


async def test_kept_keys_go_on_for_300_s_and_not_longer() -> None:
    clock = ManualClock()
    made = await met(clock)

    clock.advance(KEPT_WHILE_AWAY_US)
    assert await made.id_of(KNOWN) == "known"

    clock.advance(1)
    with pytest.raises(StateUnavailable):
        await made.id_of(KNOWN)


async def test_other_keys_are_unavailable_and_never_invalid() -> None:
    made = await met(ManualClock())

    for _ in range(2):
        with pytest.raises(StateUnavailable, match="the store of keys does not answer now"):
            await made.id_of(OTHER)


async def test_a_key_that_was_unknown_may_have_been_made_meanwhile() -> None:
    clock = ManualClock()
    made = await met(clock)

    clock.advance(SECOND_US + 1)

    with pytest.raises(StateUnavailable):
        await made.id_of(NOBODYS)


async def test_what_can_be_no_key_is_refused_and_the_master_key_passes() -> None:
    made = await met(ManualClock())

    assert [await made.id_of("sk-made-up"), await made.id_of(None), await made.id_of(MASTER_KEY)] == [
        None,
        None,
        "master",
    ]


async def test_nobody_waits_for_a_store_that_is_known_to_be_silent() -> None:
    made = await met(ManualClock())
    before = made.store.lookups

    with pytest.raises(StateUnavailable):
        await made.id_of(OTHER)

    assert before == made.store.lookups


async def test_a_store_that_does_not_even_refuse_is_silent_after_two_seconds() -> None:
    clock = ManualClock()
    made = await met(clock)
    made.store.away = False
    await made.feed.catch_up()

    clock.advance(2 * SECOND_US)
    assert not made.feed.is_silent
    clock.advance(1)
    assert made.feed.is_silent


async def test_everything_is_well_as_soon_as_the_store_is_back() -> None:
    clock = ManualClock()
    made = await met(clock)
    clock.advance(2 * KEPT_WHILE_AWAY_US)
    made.store.revoke(KNOWN)

    made.store.away = False
    await made.feed.catch_up()

    assert [await made.id_of(text) for text in (KNOWN, OTHER, NOBODYS)] == [None, "other", None]


async def test_a_store_that_goes_while_several_wait_for_it_tells_each_of_them() -> None:
    made = gateway(FakeKeyStore())
    await made.feed.catch_up()
    made.store.away = True

    told = await asyncio.gather(*(made.id_of(OTHER) for _ in range(3)), return_exceptions=True)

    assert [type(answer) for answer in told] == [StateUnavailable] * 3
    assert len({id(answer) for answer in told}) == 3
    assert made.store.lookups == 1


def test_a_store_that_hangs_is_waited_for_as_long_as_it_takes_to_be_called_silent() -> None:
    async def scenario() -> None:
        clock = VirtualClock()
        made = gateway(FakeKeyStore(), clock)
        made.store.put(Grant(key_of(OTHER, "other")))
        await made.feed.catch_up()
        made.store.held = asyncio.Event()

        with pytest.raises(StateUnavailable, match="the store of keys does not answer now"):
            await made.id_of(OTHER)

        assert clock.monotonic_us() == 2 * SECOND_US
        await clock.sleep(1)
        with pytest.raises(StateUnavailable):
            await made.id_of(OTHER)
        assert clock.monotonic_us() == 2 * SECOND_US + 1
        made.store.held.set()
        await made.feed.catch_up()
        assert await made.id_of(OTHER) == "other"
        assert made.store.lookups == 1

    run_virtual(scenario())


async def test_a_gateway_that_starts_without_its_store_has_its_pepper_when_the_store_is_back() -> None:
    store = FakeKeyStore(away=True)
    made = gateway(store, pepper="")
    await made.feed.catch_up()
    with pytest.raises(StateUnavailable):
        await made.id_of(KNOWN)
    assert await made.id_of(MASTER_KEY) == "master"

    store.away = False
    await made.feed.catch_up()

    assert await made.id_of(KNOWN) is None
    assert store.named == {"key_pepper": b"\xff" * 32}
