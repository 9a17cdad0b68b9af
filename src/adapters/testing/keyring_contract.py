"""The contract of Keyring, whose keys come from AdminStore."""

from dataclasses import replace

import pytest

from adapters.testing.tenants_support import (
    COMPANY,
    KEY,
    MEMBERSHIP,
    OTHER_TEAM,
    OTHER_USER,
    PLAIN_KEY,
    SECRET,
    TEAM,
    USER,
    Tenants,
    budget,
    removed,
    replaced,
)
from domain.budget.terms import OwnerKind
from domain.grant import Grant

OF_KEY = budget(OwnerKind.KEY, "K")
OF_MEMBER = budget(OwnerKind.MEMBER, "T:U")
OF_USER = budget(OwnerKind.USER, "U")
OF_TEAM = budget(OwnerKind.TEAM, "T")
# Of nobody who is asked about here.
STRANGERS = (
    budget(OwnerKind.KEY, "k"),
    budget(OwnerKind.USER, "u"),
    budget(OwnerKind.TEAM, "None"),
    budget(OwnerKind.MEMBER, "T:u"),
    budget(OwnerKind.MEMBER, "None:U"),
)


class KeyringContract:
    """Wants `tenants`, with nothing in it, and `elsewhere`: another process's view of the same."""

    async def test_a_key_comes_with_all_that_belongs_to_it(self, tenants: Tenants, elsewhere: Tenants) -> None:
        await tenants.add(*COMPANY, OF_TEAM, OF_USER, OF_MEMBER, OF_KEY, *STRANGERS)

        expected = Grant(KEY, USER, TEAM, MEMBERSHIP, (OF_KEY, OF_MEMBER, OF_TEAM))
        assert await elsewhere.keyring.grant_of(SECRET) == expected

    async def test_a_key_of_nobody_comes_alone(self, tenants: Tenants) -> None:
        await tenants.add(*COMPANY, OF_KEY, OF_MEMBER, OF_USER, OF_TEAM)

        assert await tenants.keyring.grant_of(PLAIN_KEY.digest) == Grant(PLAIN_KEY)

    async def test_a_key_of_nobody_has_a_budget_once(self, tenants: Tenants) -> None:
        await tenants.add(*COMPANY, OF_KEY, *STRANGERS)

        assert await tenants.keyring.grant_of(PLAIN_KEY.digest) == Grant(PLAIN_KEY, budgets=STRANGERS[:1])

    async def test_a_personal_key_spends_from_its_user(self, tenants: Tenants) -> None:
        mine = replace(KEY, team_id=None)
        in_none = replace(MEMBERSHIP, team_id=OTHER_TEAM.id)
        await tenants.add(USER, OTHER_USER, TEAM, OTHER_TEAM, MEMBERSHIP, in_none, mine, PLAIN_KEY)
        await tenants.add(OF_USER, OF_MEMBER, OF_TEAM, *STRANGERS)

        assert await tenants.keyring.grant_of(SECRET) == Grant(mine, USER, budgets=(OF_USER,))

    async def test_a_key_of_a_team_has_no_user(self, tenants: Tenants) -> None:
        ours = replace(KEY, user_id=None, scope=PLAIN_KEY.scope)
        await tenants.add(USER, TEAM, MEMBERSHIP, ours, OF_USER, OF_MEMBER, OF_TEAM)

        assert await tenants.keyring.grant_of(SECRET) == Grant(ours, team=TEAM, budgets=(OF_TEAM,))

    async def test_what_changes_is_seen_at_once_and_everywhere(self, tenants: Tenants, elsewhere: Tenants) -> None:
        await tenants.add(USER, TEAM, MEMBERSHIP, KEY)
        rotated = replace(KEY, digest=b"r" * 32)
        blocked = replace(TEAM, blocked=True)

        await tenants.change(replaced(TEAM, blocked), removed(MEMBERSHIP))
        assert await elsewhere.keyring.grant_of(SECRET) == Grant(KEY, USER, blocked)
        await tenants.change(replaced(KEY, rotated))
        assert await elsewhere.keyring.grant_of(SECRET) is None
        assert await elsewhere.keyring.grant_of(rotated.digest) == Grant(rotated, USER, blocked)
        await tenants.change(removed(rotated))
        assert await elsewhere.keyring.grant_of(rotated.digest) is None

    async def test_a_revoked_key_is_found_without_those_who_are_gone(self, tenants: Tenants) -> None:
        revoked = replace(KEY, revoked_at_us=9)
        await tenants.add(USER, TEAM, MEMBERSHIP, KEY, OF_KEY, OF_MEMBER, OF_TEAM)
        await tenants.change(replaced(KEY, revoked), removed(USER), removed(TEAM))

        assert await tenants.keyring.grant_of(SECRET) == Grant(revoked, budgets=(OF_KEY,))

    @pytest.mark.parametrize("digest", [b"", b"\0", SECRET[:-1], SECRET + b"\0", b"%" * 32, b"\\x" + b"0" * 30])
    async def test_a_digest_that_nobody_has_finds_nothing(self, tenants: Tenants, digest: bytes) -> None:
        await tenants.add(*COMPANY)

        assert await tenants.keyring.grant_of(digest) is None
