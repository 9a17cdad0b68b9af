import asyncio
from dataclasses import replace

import pytest

from adapters.testing.virtual_time import EPOCH_US, ManualClock, VirtualClock, run_virtual
from application.errors import StateUnavailable
from domain.callers import CallerKind
from domain.durations import SECOND_US
from domain.grant import Grant
from domain.tenants import Membership, Role, Team, TeamId, User, UserId
from tests.unit.authentication.key_store import MASTER_KEY, FakeKeyStore, gateway, key_of, secret

KEY = secret(1)
USER = User(UserId("U"), "u@example.org", Role.VIEWER)
TEAM = Team(TeamId("T"), "search")
WHOLE = Grant(replace(key_of(KEY), user_id=USER.id, team_id=TEAM.id), USER, TEAM, Membership(USER.id, TEAM.id))


def store_with(*grants: Grant) -> FakeKeyStore:
    store = FakeKeyStore()
    for grant in grants:
        store.put(grant)
    return store


async def test_a_key_is_asked_for_once_and_its_caller_made_once() -> None:
    made = gateway(store_with(WHOLE))
    await made.feed.catch_up()

    callers = [await made.authenticator.authenticate(KEY) for _ in range(3)]

    assert made.store.lookups == 1
    assert callers[0] is not None
    assert (callers[0].kind, callers[0].id, callers[0].account) == (CallerKind.KEY, "K", "team:T")
    assert callers[0] is callers[1] is callers[2]


async def test_requests_that_come_at_once_with_one_key_share_a_question() -> None:
    made = gateway(store_with(WHOLE))
    await made.feed.catch_up()

    ids = await asyncio.gather(*(made.id_of(KEY) for _ in range(50)))

    assert (ids, made.store.lookups) == (["K"] * 50, 1)


async def test_a_client_that_goes_does_not_take_the_answer_from_others() -> None:
    made = gateway(store_with(WHOLE))
    await made.feed.catch_up()
    made.store.held = asyncio.Event()
    first, second = (asyncio.ensure_future(made.id_of(KEY)) for _ in range(2))
    await made.store.read.wait()
    await asyncio.sleep(0)

    first.cancel()
    made.store.held.set()

    assert await second == "K"
    assert made.store.lookups == 1


async def test_the_master_key_asks_no_store() -> None:
    made = gateway(FakeKeyStore(away=True))

    caller = await made.authenticator.authenticate(MASTER_KEY)

    assert caller is not None
    assert (caller.kind, caller.role) == (CallerKind.MASTER, Role.ADMIN)
    assert made.store.lookups == 0


async def test_a_key_ends_at_the_instant_at_which_it_expires_though_it_is_kept() -> None:
    clock = ManualClock()
    expiring = replace(key_of(KEY), expires_at_us=EPOCH_US + 2)
    made = gateway(store_with(Grant(expiring)), clock)
    await made.feed.catch_up()

    assert await made.id_of(KEY) == "K"
    clock.advance(1)
    assert await made.id_of(KEY) == "K"
    clock.advance(1)
    assert await made.id_of(KEY) is None
    assert made.store.lookups == 1


@pytest.mark.parametrize(
    "grant",
    [
        replace(WHOLE, key=replace(WHOLE.key, revoked_at_us=1)),
        replace(WHOLE, key=replace(WHOLE.key, blocked=True)),
        replace(WHOLE, key=replace(WHOLE.key, expires_at_us=1)),
        replace(WHOLE, user=replace(USER, blocked=True)),
        replace(WHOLE, membership=None),
    ],
)
async def test_a_key_that_opens_nothing_is_nobody_as_an_unknown_one_after_one_question(grant: Grant) -> None:
    made = gateway(store_with(grant))
    await made.feed.catch_up()

    assert [await made.id_of(KEY), await made.id_of(KEY), made.store.lookups] == [None, None, 1]
    assert [await made.id_of(secret(2)), await made.id_of(secret(2)), made.store.lookups] == [None, None, 2]


@pytest.mark.parametrize(
    "target", ["key:K", "user:U", "team:T", "member:T:U", "budget:key:K", "budget:team:T", "budget:member:T:U"]
)
async def test_a_change_of_anything_a_key_hangs_on_is_seen_with_the_next_question(target: str) -> None:
    made = gateway(store_with(WHOLE))
    await made.feed.catch_up()
    await made.id_of(KEY)

    made.store.put(replace(WHOLE, team=replace(TEAM, blocked=True)), target)
    await made.feed.catch_up()

    assert await made.id_of(KEY) is None


@pytest.mark.parametrize("target", ["key:L", "team:L", "member:T:L", "budget:user:L", "price:openai/gpt-4o"])
async def test_a_change_of_something_else_leaves_a_key_kept(target: str) -> None:
    made = gateway(store_with(WHOLE))
    await made.feed.catch_up()
    await made.id_of(KEY)

    made.store.note(target)
    await made.feed.catch_up()
    await made.id_of(KEY)

    assert made.store.lookups == 1


@pytest.mark.parametrize("target", ["", "key", "key:", "keys:K", "budget:", "budget:org:1", "gateway"])
async def test_a_change_that_cannot_be_read_drops_everything(target: str) -> None:
    made = gateway(store_with(WHOLE))
    await made.feed.catch_up()
    await made.id_of(KEY)

    made.store.note(target)
    await made.feed.catch_up()
    await made.id_of(KEY)

    assert made.store.lookups == 2


async def test_a_key_that_was_unknown_opens_as_soon_as_it_is_made() -> None:
    made = gateway(FakeKeyStore())
    await made.feed.catch_up()
    assert [await made.id_of(KEY), await made.id_of(KEY), made.store.lookups] == [None, None, 1]

    made.store.put(WHOLE)
    await made.feed.catch_up()

    assert await made.id_of(KEY) == "K"


async def test_a_key_read_before_its_revocation_does_not_stay_when_the_answer_comes_after_it() -> None:
    made = gateway(store_with(WHOLE))
    await made.feed.catch_up()
    made.store.held = asyncio.Event()
    slow = asyncio.ensure_future(made.id_of(KEY))
    await made.store.read.wait()

    made.store.revoke(KEY)
    await made.feed.catch_up()
    made.store.held.set()

    assert await slow is None
    assert await made.id_of(KEY) is None


async def test_a_key_read_before_the_feed_began_does_not_stay() -> None:
    made = gateway(store_with(WHOLE))
    made.store.held = asyncio.Event()
    slow = asyncio.ensure_future(made.id_of(KEY))
    await made.store.read.wait()
    made.store.revoke(KEY)

    await made.feed.catch_up()
    made.store.held.set()

    assert [await slow, await made.id_of(KEY)] == [None, None]


async def test_an_absence_read_before_a_key_was_made_does_not_stay() -> None:
    made = gateway(FakeKeyStore())
    await made.feed.catch_up()
    made.store.held = asyncio.Event()
    slow = asyncio.ensure_future(made.id_of(KEY))
    await made.store.read.wait()

    made.store.put(WHOLE)
    await made.feed.catch_up()
    made.store.held.set()

    assert [await slow, await made.id_of(KEY)] == ["K", "K"]


async def test_a_key_that_is_asked_for_while_everything_changes_is_answered_all_the_same() -> None:
    made = gateway(store_with(WHOLE))
    await made.feed.catch_up()
    asked = made.store.grant_of

    async def changing(digest: bytes) -> Grant | None:
        made.store.note("user:somebody")
        found = await asked(digest)
        await made.feed.catch_up()
        return found

    made.store.grant_of = changing  # type: ignore[method-assign]

    assert await made.id_of(KEY) == "K"
    assert made.store.lookups == 3


def test_a_revoked_key_is_refused_within_a_second_by_every_process() -> None:
    async def main() -> None:
        store = store_with(WHOLE)
        clock = VirtualClock()
        processes = [gateway(store, clock) for _ in range(3)]
        following = [asyncio.ensure_future(process.feed.run()) for process in processes]
        await clock.sleep(SECOND_US)
        assert [await process.id_of(KEY) for process in processes] == ["K"] * 3

        store.revoke(KEY)
        await clock.sleep(SECOND_US)

        assert [await process.id_of(KEY) for process in processes] == [None] * 3
        for task in following:
            task.cancel()

    run_virtual(main())


async def test_where_no_key_is_required_a_valid_one_is_itself_and_all_else_is_anonymous() -> None:
    made = gateway(store_with(WHOLE), require_auth=False)
    await made.feed.catch_up()

    callers = [await made.authenticator.authenticate(text) for text in (KEY, secret(2), "sk-made-up", None, MASTER_KEY)]

    assert [caller and caller.kind.value for caller in callers] == ["key", *["anonymous"] * 3, "master"]


async def test_where_no_key_is_required_a_revoked_one_is_anonymous() -> None:
    made = gateway(store_with(replace(WHOLE, key=replace(WHOLE.key, revoked_at_us=1))), require_auth=False)

    assert await made.id_of(KEY) == "anonymous"


async def test_where_no_key_is_required_one_that_cannot_be_looked_up_does_not_become_anonymous() -> None:
    made = gateway(FakeKeyStore(away=True), require_auth=False)

    with pytest.raises(StateUnavailable):
        await made.id_of(KEY)


def test_an_empty_master_key_is_refused() -> None:
    made = gateway(FakeKeyStore())
    with pytest.raises(ValueError, match="empty"):
        type(made.authenticator)("", made.authenticator._keys, made.clock)
