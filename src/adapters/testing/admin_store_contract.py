"""The contract of AdminStore: what is there, and in which order. How it changes: admin_changes_contract."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from adapters.testing.tenants_support import (
    COMPANY,
    HOSTILE_NAME,
    KEY,
    MEMBERSHIP,
    OTHER_TEAM,
    OTHER_USER,
    PLAIN_KEY,
    PRICE,
    TEAM,
    USER,
    Tenants,
    budget,
    removed,
)
from domain.budget.terms import BudgetTerms, OwnerKind
from domain.pages import Page
from domain.price_override import PriceOverride
from domain.stored import NOUNS, Stored, id_of
from domain.tenants import Membership, Team, TeamId, User
from domain.virtual_key import VirtualKey

BUDGETS = tuple(budget(kind, owner) for kind, owner in zip(OwnerKind, ("K", "T:U", "U", "T"), strict=True))
STRANGE_IDS = ["", "nobody", "' OR 1=1 --", "a\0b", "\udcff", "x" * 10_000, "%", "_", "🗝"]

NEARLY_IDS = ["T", "team:t", "team:T ", "member:T", "member:U:T", "openai/m", "openai/m@07", "T:u", "t:U", "k "]


class AdminStoreContract:
    """Wants `tenants`, with nothing in it, and `elsewhere`: another process's view of the same."""

    async def test_everything_comes_back_as_it_was_stored(self, tenants: Tenants, elsewhere: Tenants) -> None:
        await tenants.add(*COMPANY, *BUDGETS)

        for item in (*COMPANY, *BUDGETS):
            assert await elsewhere.store.get(type(item), id_of(item)) == item

    async def test_what_is_not_there_is_not_found(self, tenants: Tenants) -> None:
        await tenants.add(*COMPANY, *BUDGETS)

        for kind, item_id in product(NOUNS, STRANGE_IDS):
            assert await tenants.store.get(kind, item_id) is None, (kind, item_id)

    async def test_nothing_is_found_by_what_is_only_like_its_id(self, tenants: Tenants) -> None:
        await tenants.add(*COMPANY, *BUDGETS)

        kinds: list[type[Any]] = [BudgetTerms, Membership, PriceOverride, VirtualKey]
        for kind, item_id in product(kinds, NEARLY_IDS):
            assert await tenants.store.get(kind, item_id) is None, (kind, item_id)

    async def test_ids_of_each_kind_are_as_the_port_says(self, tenants: Tenants) -> None:
        await tenants.add(*COMPANY, *BUDGETS)

        assert await tenants.store.get(Membership, "T:U") == MEMBERSHIP
        assert await tenants.store.get(BudgetTerms, "member:T:U") == BUDGETS[1]
        assert await tenants.store.get(PriceOverride, f"openai/{HOSTILE_NAME}@7") == PRICE

    async def test_items_come_in_the_order_of_the_code_points_of_their_ids(self, tenants: Tenants) -> None:
        ids = list(map(TeamId, ["-", "1", "10", "9", "A", "Z", "_", "a", "a-b", "aB", "ab", "b"]))
        await tenants.add(*(replace(TEAM, id=team_id, name=team_id) for team_id in reversed(ids)))
        await tenants.add(USER, *(replace(MEMBERSHIP, team_id=team_id) for team_id in ids))
        models = ["b", "ä", "Z", "a", "🗝", "ﬀ"]
        await tenants.add(*(replace(PRICE, model=model) for model in models))

        assert [team.id for team in await tenants.all(Team)] == ids
        members = [f"{member.team_id}:{member.user_id}" for member in await tenants.all(Membership)]
        assert members == sorted(f"{team_id}:U" for team_id in ids)
        assert [price.model for price in await tenants.all(PriceOverride)] == sorted(models)

    async def test_pages_hold_each_item_once_whatever_is_added_meanwhile(self, tenants: Tenants) -> None:
        await tenants.add(*(replace(PRICE, model=model) for model in ("b", "d", "f", "h", "é")))

        first = await tenants.store.page(PriceOverride, 2)
        await tenants.add(*(replace(PRICE, model=model) for model in ("a", "c", "g")))
        second = await tenants.store.page(PriceOverride, 3, first.next)
        last = await tenants.store.page(PriceOverride, 3, second.next)

        pages = [[price.model for price in page.items] for page in (first, second, last)]
        assert pages == [["b", "d"], ["f", "g", "h"], ["é"]]
        assert first.next is not None
        assert second.next is not None
        assert last.next is None

    async def test_a_page_that_is_just_full_is_the_last_one(self, tenants: Tenants) -> None:
        await tenants.add(USER, OTHER_USER)

        assert (await tenants.store.page(User, 2)).next is None
        assert (await tenants.store.page(User, 1)).next is not None
        assert await tenants.store.page(Team, 1) == Page(())

    async def test_cursor_goes_on_after_its_item_is_gone(self, tenants: Tenants) -> None:
        await tenants.add(PRICE, replace(PRICE, effective_at_us=8))
        cursor = (await tenants.store.page(PriceOverride, 1)).next
        await tenants.store.apply([removed(PRICE)], "tester")

        assert (await tenants.store.page(PriceOverride, 1, cursor)).items == (replace(PRICE, effective_at_us=8),)

    @pytest.mark.parametrize(
        "cursor", ["", "U", "user", "user-", "user-zz", "user-0", "user-5 5", "user-ff", "\0", "ü"]
    )
    async def test_cursors_that_are_none_are_refused(self, tenants: Tenants, cursor: str) -> None:
        with pytest.raises(ValueError, match="expected a cursor"):
            await tenants.store.page(User, 1, cursor)

    async def test_cursor_of_another_list_is_refused(self, tenants: Tenants) -> None:
        await tenants.add(USER, OTHER_USER)
        cursor = (await tenants.store.page(User, 1)).next

        with pytest.raises(ValueError, match="expected a cursor"):
            await tenants.store.page(Team, 1, cursor)

    async def test_pages_of_no_or_too_many_items_are_refused(self, tenants: Tenants) -> None:
        for limit in (-1, 0, 1_001, 2**70):
            with pytest.raises(ValueError, match="expected 1 to 1000 items"):
                await tenants.store.page(User, limit)

    @pytest.mark.parametrize(
        ("kind", "where", "expected"),
        [
            (User, {"email": "u@example.org"}, [USER]),
            (Team, {"name": HOSTILE_NAME}, [TEAM]),
            (Membership, {"user_id": "U"}, [MEMBERSHIP]),
            (Membership, {"team_id": "T", "user_id": "U"}, [MEMBERSHIP]),
            (Membership, {"team_id": "T", "user_id": "u"}, []),
            (VirtualKey, {"team_id": "T"}, [KEY]),
            (VirtualKey, {"user_id": "U"}, [KEY]),
            (VirtualKey, {"team_id": "None"}, []),
            (VirtualKey, {}, [KEY, PLAIN_KEY]),
            (PriceOverride, {"provider": "openai", "model": HOSTILE_NAME}, [PRICE]),
            (PriceOverride, {"provider": "OpenAI"}, []),
            (BudgetTerms, {"owner": "team:T"}, [BUDGETS[3]]),
            (BudgetTerms, {"owner": "T"}, []),
        ],
    )
    async def test_items_are_found_by_their_fields(
        self, tenants: Tenants, kind: type[Stored], where: dict[str, str], expected: list[Stored]
    ) -> None:
        await tenants.add(*COMPANY, *BUDGETS)

        assert list((await tenants.store.page(kind, 10, where=where)).items) == expected

    async def test_pages_of_what_was_found_by_a_field_go_on(self, tenants: Tenants) -> None:
        await tenants.add(TEAM, OTHER_TEAM, USER, OTHER_USER, MEMBERSHIP)
        other = replace(MEMBERSHIP, user_id=OTHER_USER.id)
        await tenants.add(other, replace(MEMBERSHIP, team_id=OTHER_TEAM.id))

        first = await tenants.store.page(Membership, 1, where={"team_id": "T"})
        second = await tenants.store.page(Membership, 1, first.next, {"team_id": "T"})

        assert (first.items, second.items, second.next) == ((MEMBERSHIP,), (other,), None)

    async def test_nothing_is_found_by_strange_values(self, tenants: Tenants) -> None:
        await tenants.add(*COMPANY)

        for value in (*STRANGE_IDS, "U@EXAMPLE.ORG", "u@example.org ", "u@example_org"):
            assert (await tenants.store.page(User, 10, where={"email": value})).items == (), value

    async def test_other_fields_are_refused(self, tenants: Tenants) -> None:
        for field in ("id", "role", "digest", "owner", "email; --", "", "__class__"):
            with pytest.raises(ValueError, match="expected one of team_id, user_id to find a key by"):
                await tenants.store.page(VirtualKey, 10, where={field: "x"})

    async def test_other_kinds_are_refused(self, tenants: Tenants) -> None:
        with pytest.raises(ValueError, match="expected a kind that administrators set, found str"):
            await tenants.store.get(str, "a")
        with pytest.raises(ValueError, match="expected a kind that administrators set, found str"):
            await tenants.store.page(str, 10)
