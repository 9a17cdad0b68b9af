"""The contract of AdminStore: how one thing changes. What that does to others: admin_references_contract."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from adapters.testing.tenants_support import (
    COMPANY,
    KEY,
    MEMBERSHIP,
    OTHER_USER,
    PLAIN_KEY,
    PRICE,
    TEAM,
    USER,
    Tenants,
    added,
    budget,
    removed,
    replaced,
)
from application.ports.admin_store import AlreadyThere, ChangedMeanwhile
from domain.audit import Change
from domain.budget.terms import OwnerKind
from domain.stored import Stored, id_of
from domain.tenants import Role, Team, TeamId, User, UserId
from domain.virtual_key import KeyId, VirtualKey

TEAM_BUDGET = budget(OwnerKind.TEAM, "T")
REVOKED = replace(KEY, revoked_at_us=9)
OTHERS: tuple[Stored, ...] = (
    replace(USER, role=Role.ADMIN, email="new@example.org", blocked=True),
    replace(TEAM, models=None, tags=frozenset(), routes={}),
    replace(MEMBERSHIP, role=Role.VIEWER),
    REVOKED,
    replace(PLAIN_KEY, digest=b"n" * 32),
    replace(PRICE, prices=replace(PRICE.prices, cached_input=None)),
    replace(TEAM_BUDGET, hard=True),
)


class AdminChangesContract:
    """Wants `tenants`, with nothing in it, and `elsewhere`: another process's view of the same."""

    @pytest.mark.parametrize("after", OTHERS, ids=lambda item: type(item).__name__)
    async def test_an_item_is_replaced_and_removed_by_who_knows_it(self, tenants: Tenants, after: Stored) -> None:
        await tenants.add(*COMPANY, TEAM_BUDGET)
        before = next(item for item in (*COMPANY, TEAM_BUDGET) if (type(item), id_of(item)) == _name(after))

        await tenants.change(replaced(before, after))
        assert await tenants.store.get(type(after), id_of(after)) == after
        for key in (KEY, PLAIN_KEY):
            there = await tenants.store.get(VirtualKey, key.id)
            await tenants.change(removed(there or key))
        await tenants.change(*([] if isinstance(after, VirtualKey) else [removed(after)]))

        assert await tenants.store.get(type(after), id_of(after)) is None

    @pytest.mark.parametrize("item", COMPANY, ids=lambda item: type(item).__name__)
    async def test_what_exists_is_not_added_again(self, tenants: Tenants, item: Stored) -> None:
        await tenants.add(*COMPANY)

        with pytest.raises(AlreadyThere, match=f"^the [a-z]+ '.*{id_of(item)[-1]}.* exists$"):
            await tenants.add(item)

    @pytest.mark.parametrize(
        ("item", "message"),
        [
            (replace(USER, id=UserId("new")), "the user 'U' has that email"),
            (replace(TEAM, id=TeamId("new")), "the team 'T' has that name"),
            (replace(KEY, id=KeyId("new")), "the key 'K' has that digest"),
        ],
    )
    async def test_what_must_be_unique_is_refused_by_naming_who_has_it(
        self, tenants: Tenants, item: Stored, message: str
    ) -> None:
        await tenants.add(*COMPANY)
        unlike = _unlike(item)
        await tenants.add(unlike)

        with pytest.raises(AlreadyThere, match=f"^{message}$"):
            await tenants.change(replaced(unlike, item))
        await tenants.change(removed(unlike))
        with pytest.raises(AlreadyThere, match=f"^{message}$"):
            await tenants.add(item)

    async def test_who_keeps_what_is_unique_is_not_in_its_own_way(self, tenants: Tenants) -> None:
        await tenants.add(USER, OTHER_USER)

        await tenants.change(replaced(USER, replace(USER, blocked=True)))

    @pytest.mark.parametrize("change", [removed(USER), replaced(USER, replace(USER, blocked=True))])
    @pytest.mark.parametrize("there", [None, replace(USER, role=Role.ADMIN)])
    async def test_what_is_not_as_it_was_is_left_alone(
        self, tenants: Tenants, there: User | None, change: Change[User]
    ) -> None:
        await tenants.add(*([] if there is None else [there]))

        with pytest.raises(ChangedMeanwhile, match=r"^the user 'U' is not any more as it was$"):
            await tenants.change(change)

        assert await tenants.store.get(User, "U") == there

    async def test_all_changes_are_made_or_none(self, tenants: Tenants, elsewhere: Tenants) -> None:
        await tenants.add(USER)

        with pytest.raises(AlreadyThere):
            await tenants.change(added(TEAM), removed(USER), added(OTHER_USER), added(TEAM))

        assert [await elsewhere.all(Team), await elsewhere.all(User)] == [[], [USER]]
        assert await elsewhere.log.latest() == 1
        assert len(await elsewhere.log.since(0, 10)) == 1

    async def test_changes_are_made_in_their_order(self, tenants: Tenants) -> None:
        blocked = replace(USER, blocked=True)

        await tenants.change(added(USER), replaced(USER, blocked), removed(blocked), added(USER))

        assert await tenants.all(User) == [USER]

    async def test_no_changes_are_none(self, tenants: Tenants) -> None:
        assert await tenants.change() == []
        assert await tenants.log.latest() == 0

    async def test_of_many_who_change_the_same_one_succeeds(self, tenants: Tenants, elsewhere: Tenants) -> None:
        await tenants.add(USER)
        wanted = [replace(USER, created_at_us=number) for number in range(100, 112)]
        both = (tenants, elsewhere)

        outcomes = await asyncio.gather(
            *(both[number % 2].change(replaced(USER, user)) for number, user in enumerate(wanted)),
            return_exceptions=True,
        )

        failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert {type(outcome) for outcome in failed} == {ChangedMeanwhile}
        assert len(failed) == 11
        assert await elsewhere.log.latest() == 2

    async def test_of_many_who_add_the_same_one_succeeds(self, tenants: Tenants, elsewhere: Tenants) -> None:
        both = (tenants, elsewhere)

        outcomes = await asyncio.gather(
            *(both[number % 2].add(replace(USER, id=UserId(f"U{number}"))) for number in range(8)),
            return_exceptions=True,
        )

        assert sum(isinstance(outcome, AlreadyThere) for outcome in outcomes) == 7
        assert len(await tenants.all(User)) == 1

    @pytest.mark.parametrize(
        "change",
        [
            Change("x", "x", USER, OTHER_USER),
            Change("x", "x", TEAM, replace(USER, id=UserId("T"))),
            Change("x", "x", None, "text"),
            Change("x", "x", USER, "text"),
        ],
    )
    async def test_changes_of_two_or_of_none_are_refused(self, tenants: Tenants, change: Change[Any]) -> None:
        await tenants.add(USER)

        with pytest.raises(ValueError, match=r"^expected a (change of one item|kind that)"):
            await tenants.change(change)

    @pytest.mark.parametrize("actor", ["", " ", "a\0", "\ud800", "x" * 201, "a\nb"])
    async def test_actors_without_a_proper_name_are_refused(self, tenants: Tenants, actor: str) -> None:
        with pytest.raises(ValueError, match="expected a name of an actor"):
            await tenants.store.apply([added(USER)], actor)

        assert await tenants.all(User) == []

    async def test_numbers_that_no_store_can_hold_are_refused(self, tenants: Tenants) -> None:
        with pytest.raises(ValueError, match="at most 64 bits"):
            await tenants.add(TEAM, replace(USER, created_at_us=2**63))
        await tenants.add(replace(USER, created_at_us=2**63 - 1))

        assert (await tenants.all(User))[0].created_at_us == 2**63 - 1
        assert await tenants.all(Team) == []


def _name(item: Stored) -> tuple[type, str]:
    return type(item), id_of(item)


def _unlike(item: Any) -> Any:
    """With the same id, and nothing else that is unique."""
    match item:
        case User():
            return replace(item, email="other@example.org")
        case Team():
            return replace(item, name="other")
        case _:
            return replace(item, digest=b"o" * 32)
