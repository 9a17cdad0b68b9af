"""The contract of AuditLog, which AdminStore fills."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace

import pytest

from adapters.testing.tenants_support import (
    COMPANY,
    KEY,
    MEMBERSHIP,
    PRICE,
    SECRET,
    TEAM,
    USER,
    Tenants,
    added,
    budget,
    removed,
    replaced,
)
from domain.audit import AuditEntry
from domain.budget.terms import OwnerKind
from domain.tenants import UserId

BLOCKED = replace(USER, blocked=True)


class AuditLogContract:
    """Wants `tenants`, with nothing in it, and `elsewhere`: another process's view of the same."""

    async def test_nothing_has_changed_at_first(self, tenants: Tenants) -> None:
        assert await tenants.log.latest() == 0
        assert list(await tenants.log.since(0, 10)) == []
        assert (await tenants.log.page(10)).items == ()

    async def test_each_change_is_told_with_when_and_who(self, tenants: Tenants, elsewhere: Tenants) -> None:
        at_us = tenants.clock.now_us()
        first = await tenants.change(added(USER))
        tenants.clock.advance(5)
        rest = list(await tenants.store.apply([replaced(USER, BLOCKED), removed(BLOCKED)], "key:K"))

        told = [(entry.revision, entry.at_us, entry.actor, entry.action, entry.target) for entry in first + rest]
        assert told == [
            (1, at_us, "tester", "user.create", "user:U"),
            (2, at_us + 5, "key:K", "user.update", "user:U"),
            (3, at_us + 5, "key:K", "user.delete", "user:U"),
        ]
        assert [(entry.before is None, entry.after is None) for entry in first + rest] == [
            (True, False),
            (False, False),
            (False, True),
        ]
        assert list(await elsewhere.log.since(0, 10)) == first + rest
        assert list((await elsewhere.log.page(10)).items) == (first + rest)[::-1]
        assert await elsewhere.log.latest() == 3

    async def test_an_item_is_told_in_full_but_for_its_secret(self, tenants: Tenants) -> None:
        await tenants.add(*COMPANY, budget(OwnerKind.TEAM, "T", 7))

        told = {entry.target: json.loads(entry.after or "") for entry in await tenants.log.since(0, 100)}
        key = told["key:K"]
        assert (key["prefix"], key["created_at_us"], key["expires_at_us"]) == ("abcdefgh", 2**53 + 1, 2**53 + 3)
        assert (key["models"], key["tags"], key["routes"]) == (["gpt-4o"], ["gpu"], {"a": "b"})
        assert key["limits"] == {"requests_per_minute": 10, "tokens_per_minute": 10**11, "max_parallel": None}
        assert told["team:T"]["models"] == sorted(TEAM.models or ())
        assert told["membership:T:U"] == {"user_id": "U", "team_id": "T", "role": "team-admin"}
        assert told[f"price:{PRICE.provider}/{PRICE.model}@7"]["prices"]["input"] == 10**15
        assert told["budget:team:T"] == {
            "owner": {"kind": "team", "id": "T"},
            "amount_nano": 7,
            "kind": "weekly",
            "timezone": "Europe/Kyiv",
            "hard": False,
        }

    async def test_no_entry_holds_a_digest(self, tenants: Tenants) -> None:
        other = replace(KEY, digest=b"n" * 32)
        await tenants.add(USER, TEAM, MEMBERSHIP, KEY)
        await tenants.change(replaced(KEY, other), removed(other))

        for entry in await tenants.log.since(4, 10):
            for text in (entry.before or "", entry.after or ""):
                assert "digest" not in text
                assert SECRET.hex() not in text
                assert "n" * 32 not in text

    async def test_since_goes_on_after_a_revision(self, tenants: Tenants) -> None:
        await _history(tenants, 5)

        assert _revisions(await tenants.log.since(2, 2)) == [3, 4]
        assert _revisions(await tenants.log.since(4, 10)) == [5]
        assert _revisions(await tenants.log.since(5, 10)) == []
        assert _revisions(await tenants.log.since(99, 10)) == []
        assert _revisions(await tenants.log.since(-1, 2)) == [1, 2]

    async def test_pages_go_back_to_the_first_entry(self, tenants: Tenants) -> None:
        await _history(tenants, 5)

        first = await tenants.log.page(2)
        await tenants.add(TEAM)
        second = await tenants.log.page(2, first.next)
        last = await tenants.log.page(2, second.next)

        assert [_revisions(page.items) for page in (first, second, last)] == [[5, 4], [3, 2], [1]]
        assert last.next is None

    async def test_pages_of_one_target_hold_nothing_else(self, tenants: Tenants) -> None:
        await _history(tenants, 3)
        await tenants.add(TEAM)
        await _history(tenants, 2)

        first = await tenants.log.page(2, target="user:U")
        second = await tenants.log.page(3, first.next, target="user:U")

        assert [_revisions(page.items) for page in (first, second)] == [[6, 5], [3, 2, 1]]
        assert second.next is None
        assert _revisions((await tenants.log.page(5, target="team:T")).items) == [4]

    async def test_strange_targets_have_no_entries(self, tenants: Tenants) -> None:
        await tenants.add(USER)

        for target in ("", "user:", "user:u", "user:%", "a\0", "\udcff", "x" * 10_000):
            assert (await tenants.log.page(5, target=target)).items == (), target

    async def test_cursors_that_are_none_are_refused(self, tenants: Tenants) -> None:
        for cursor in ("", "1", "audit-", "audit-78", "user-31", f"audit-{'39' * 30}", "audit-2d31", "audit-c2b2"):
            with pytest.raises(ValueError, match="expected a cursor"):
                await tenants.log.page(5, cursor)

    async def test_pages_of_no_or_too_many_entries_are_refused(self, tenants: Tenants) -> None:
        for limit in (0, 1_001):
            with pytest.raises(ValueError, match="expected 1 to 1000 items"):
                await tenants.log.page(limit)

    async def test_revisions_of_many_at_once_have_no_gap_and_nobody_misses_one(
        self, tenants: Tenants, elsewhere: Tenants
    ) -> None:
        writers = [
            (tenants, elsewhere)[number % 2].add(replace(USER, id=UserId(f"U{number}"), email=f"{number}@b"))
            for number in range(20)
        ]
        writing = asyncio.gather(*writers)
        followed: list[int] = []
        while len(followed) < 20:
            followed += _revisions(await elsewhere.log.since(followed[-1] if followed else 0, 3))
            await asyncio.sleep(0)
        await writing

        assert followed == list(range(1, 21))


async def _history(tenants: Tenants, length: int) -> None:
    """So many changes of one user, who is there or not."""
    for _ in range(length):
        there = await tenants.all(type(USER))
        await tenants.change(removed(USER) if there else added(USER))


def _revisions(entries: Iterable[AuditEntry]) -> list[int]:
    return [entry.revision for entry in entries]
