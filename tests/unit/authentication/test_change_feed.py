import asyncio
from dataclasses import dataclass, field, replace

import pytest

from adapters.testing.virtual_time import ManualClock, VirtualClock, run_virtual
from application.change_feed import ChangeFeed
from domain.durations import SECOND_US
from tests.unit.authentication.key_store import FakeKeyStore


@dataclass
class SpyFollower:
    told: list[str] = field(default_factory=list)
    fails: bool = False

    def changed(self, target: str) -> None:
        if self.fails:
            raise RuntimeError(target)
        self.told.append(target)

    def lost_track(self) -> None:
        self.told.append("*")


async def test_a_feed_begins_with_what_comes_after_the_present() -> None:
    store, spy = FakeKeyStore(), SpyFollower()
    store.note("key:old")
    feed = ChangeFeed(store, ManualClock(), [spy])

    await feed.catch_up()
    store.note("key:new")
    await feed.catch_up()
    await feed.catch_up()

    assert spy.told == ["*", "key:new"]


async def test_a_feed_of_a_log_that_is_empty_at_first_misses_nothing() -> None:
    store, spy = FakeKeyStore(), SpyFollower()
    feed = ChangeFeed(store, ManualClock(), [spy])

    for target in ("key:1", "key:2"):
        await feed.catch_up()
        store.note(target)
    await feed.catch_up()

    assert spy.told == ["*", "key:1", "key:2"]


async def test_a_feed_tells_more_changes_than_one_answer_holds() -> None:
    store, spy = FakeKeyStore(), SpyFollower()
    feed = ChangeFeed(store, ManualClock(), [spy])
    await feed.catch_up()
    targets = [f"key:{number}" for number in range(2_500)]
    for target in targets:
        store.note(target)

    await feed.catch_up()

    assert ["*", *targets] == spy.told


async def test_a_feed_tells_after_an_outage_what_was_changed_meanwhile() -> None:
    store, spy, clock = FakeKeyStore(), SpyFollower(), ManualClock()
    feed = ChangeFeed(store, clock, [spy])
    await feed.catch_up()
    store.away = True
    store.note("key:1")
    clock.advance(SECOND_US)

    await feed.catch_up()
    assert (feed.is_silent, feed.answered_within(SECOND_US - 1)) == (True, False)

    store.away = False
    await feed.catch_up()
    assert (feed.is_silent, feed.answered_within(0), spy.told) == (False, True, ["*", "key:1"])


async def test_a_feed_that_was_never_answered_vouches_for_nothing() -> None:
    feed = ChangeFeed(FakeKeyStore(away=True), ManualClock(), [])
    assert (feed.is_silent, feed.answered_within(10**18)) == (False, False)

    await feed.catch_up()

    assert (feed.is_silent, feed.answered_within(10**18)) == (True, False)


@pytest.mark.parametrize("others", [0, 1, 2, 3])
async def test_a_log_that_became_an_older_copy_of_itself_is_seen(others: int) -> None:
    store, spy = FakeKeyStore(), SpyFollower()
    feed = ChangeFeed(store, ManualClock(), [spy])
    await feed.catch_up()
    for target in ("key:1", "key:2"):
        store.note(target)
    await feed.catch_up()

    del store.log[1:]
    for number in range(others):
        store.note(f"team:{number}")
    for _ in range(2):
        await feed.catch_up()
    store.note("user:1")
    await feed.catch_up()

    assert spy.told == ["*", "key:1", "key:2", "*", "user:1"]


async def test_a_log_that_contradicts_itself_is_not_asked_without_end() -> None:
    store = FakeKeyStore()
    feed = ChangeFeed(store, ManualClock(), [])
    await feed.catch_up()
    store.note("key:1")
    await feed.catch_up()
    store.log[0] = replace(store.log[0], at_us=7)
    asked = store.questions

    await feed.catch_up()

    assert store.questions == asked + 1


async def test_a_follower_that_failed_is_told_again() -> None:
    store, spy = FakeKeyStore(), SpyFollower()
    feed = ChangeFeed(store, ManualClock(), [spy])
    await feed.catch_up()
    store.note("key:1")
    spy.fails = True
    with pytest.raises(RuntimeError):
        await feed.catch_up()

    spy.fails = False
    await feed.catch_up()

    assert spy.told == ["*", "key:1"]


def test_a_feed_asks_once_every_quarter_of_a_second() -> None:
    async def main() -> None:
        store, clock = FakeKeyStore(), VirtualClock()
        following = asyncio.ensure_future(ChangeFeed(store, clock, []).run())
        await clock.sleep(10 * SECOND_US)
        following.cancel()
        assert 40 <= store.questions <= 41

    run_virtual(main())
