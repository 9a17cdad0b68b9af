"""The contract of AdminStore: who needs whom, and goes with whom."""

from dataclasses import replace

import pytest

from adapters.testing.tenants_support import (
    COMPANY,
    KEY,
    MEMBERSHIP,
    OTHER_TEAM,
    OTHER_USER,
    PLAIN_KEY,
    TEAM,
    USER,
    Tenants,
    budget,
    removed,
    replaced,
)
from application.ports.admin_store import StillInUse
from domain.audit import Change
from domain.budget.terms import BudgetTerms, OwnerKind
from domain.stored import Stored, id_of
from domain.tenants import Membership
from domain.virtual_key import VirtualKey

TEAM_BUDGET = budget(OwnerKind.TEAM, "T")
MEMBER_BUDGET = budget(OwnerKind.MEMBER, "T:U")
REVOKED = replace(KEY, revoked_at_us=9)


class AdminReferencesContract:
    """Wants `tenants`, with nothing in it."""

    @pytest.mark.parametrize(
        ("item", "missing"),
        [
            (MEMBERSHIP, "team 'T'"),
            (KEY, "team 'T'"),
            (REVOKED, "team 'T'"),
            (replace(KEY, team_id=None), "user 'U'"),
            (TEAM_BUDGET, "team 'T'"),
            (budget(OwnerKind.USER, "U"), "user 'U'"),
            (MEMBER_BUDGET, "team 'T'"),
            (budget(OwnerKind.MEMBER, "None:nobody"), "user 'nobody'"),
            (budget(OwnerKind.MEMBER, "None"), "user ''"),
            (budget(OwnerKind.KEY, "K"), "key 'K'"),
            (budget(OwnerKind.TEAM, "\0"), r"team '\\x00'"),
            (budget(OwnerKind.USER, "\ud800"), r"user '\\ud800'"),
        ],
    )
    async def test_what_names_somebody_who_is_not_there_is_refused(
        self, tenants: Tenants, item: Stored, missing: str
    ) -> None:
        await tenants.add(OTHER_TEAM, OTHER_USER)

        with pytest.raises(StillInUse, match=f"^there is no {missing}$"):
            await tenants.change(Change("x", "x", None, item))

    @pytest.mark.parametrize("item", [USER, TEAM])
    async def test_who_has_keys_stays_until_they_are_revoked(self, tenants: Tenants, item: Stored) -> None:
        await tenants.add(*COMPANY)

        with pytest.raises(StillInUse, match=f"'{id_of(item)}' has keys, such as 'K': revoke them first$"):
            await tenants.change(removed(item))
        await tenants.change(replaced(KEY, REVOKED))
        await tenants.change(removed(item))

        assert await tenants.store.get(VirtualKey, "K") == REVOKED
        renamed = replace(REVOKED, name="x")
        await tenants.change(replaced(REVOKED, renamed))
        with pytest.raises(StillInUse, match="there is no"):
            await tenants.change(replaced(renamed, KEY))

    @pytest.mark.parametrize(
        ("item", "left"),
        [(TEAM, ["key:k", "member:None:U", "user:U"]), (USER, ["key:k", "member:T:u", "team:T"])],
    )
    async def test_who_is_removed_takes_memberships_and_budgets_along(
        self, tenants: Tenants, item: Stored, left: list[str]
    ) -> None:
        members = [replace(MEMBERSHIP, team_id=OTHER_TEAM.id), replace(MEMBERSHIP, user_id=OTHER_USER.id)]
        await tenants.add(USER, OTHER_USER, TEAM, OTHER_TEAM, MEMBERSHIP, *members, PLAIN_KEY)
        owners = ["k", "T:U", "T:u", "None:U", "U", "T"]
        kinds = [OwnerKind.KEY, *[OwnerKind.MEMBER] * 3, OwnerKind.USER, OwnerKind.TEAM]
        await tenants.add(*(budget(kind, owner) for kind, owner in zip(kinds, owners, strict=True)))

        await tenants.change(removed(item))

        assert [id_of(terms) for terms in await tenants.all(BudgetTerms)] == left
        assert await tenants.all(Membership) == [members[0] if item is TEAM else members[1]]

    async def test_a_key_that_is_removed_takes_its_budget_along(self, tenants: Tenants) -> None:
        await tenants.add(PLAIN_KEY, budget(OwnerKind.KEY, "k"))

        await tenants.change(removed(PLAIN_KEY))

        assert await tenants.all(BudgetTerms) == []

    async def test_a_member_who_leaves_and_comes_back_has_the_same_budget(self, tenants: Tenants) -> None:
        await tenants.add(USER, TEAM, MEMBERSHIP, KEY, MEMBER_BUDGET)

        await tenants.change(removed(MEMBERSHIP))
        await tenants.add(MEMBERSHIP)

        assert await tenants.all(BudgetTerms) == [MEMBER_BUDGET]
