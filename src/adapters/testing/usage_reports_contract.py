"""The contract of UsageReports. Inherit it and give it `ledger`, empty, and `reports` of what is in that ledger."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from adapters.testing.ledger_contract import NOON_US, used
from application.ports.ledger import Ledger
from application.ports.usage_reports import GroupBy, UsageFilter, UsageReports, UsageTotal
from domain.identifiers import InstanceId, RequestId, RouteSlug
from domain.usage_record import UsageOutcome, UsageRecord

DAY_US = 86_400_000_000
MIDNIGHT_US = NOON_US - DAY_US // 2
EVERYTHING = UsageFilter()
_NOBODY = ("nobody", "\x00", "\ud800", "'; DROP TABLE ledger; --", "%")


async def all_records(reports: UsageReports, asked: UsageFilter, limit: int) -> Sequence[UsageRecord]:
    """Page after page; each but the last is full."""
    found: list[UsageRecord] = []
    after = None
    while True:
        page = await reports.records(asked, limit, after)
        found += page.items
        if page.next is None:
            return found
        assert len(page.items) == limit
        after = page.next


async def all_totals(
    reports: UsageReports, asked: UsageFilter, group_by: GroupBy, limit: int = 1_000
) -> Sequence[UsageTotal]:
    """Page after page; each but the last is full."""
    found: list[UsageTotal] = []
    after = None
    while True:
        page = await reports.totals(asked, group_by, limit, after)
        found += page.items
        if page.next is None:
            return found
        assert len(page.items) == limit
        after = page.next


class UsageRecordsContract:
    """Records, one by one."""

    async def test_an_empty_ledger_has_nothing_to_report(self, reports: UsageReports) -> None:
        assert await all_records(reports, EVERYTHING, 10) == []
        for group_by in GroupBy:
            assert await all_totals(reports, EVERYTHING, group_by) == []

    async def test_a_record_comes_back_as_it_was(self, ledger: Ledger, reports: UsageReports) -> None:
        full = replace(
            used(1),
            outcome=UsageOutcome.CUT,
            client_request_id="client-1",
            route=RouteSlug("smart"),
            model_used="gpt-4o",
            provider="openai",
            status=200,
            stream=True,
            estimated=True,
            latency_us=2**40,
            ttft_us=7,
            tags=("eu", "тест", '"'),
            cache_hit=True,
            error_code="upstream_error",
            cost_nano=2**53 - 1,
            first=False,
        )
        bare = used(2, user_id=None, team_id=None, key_id=None, instance_id=None, cost_nano=0)
        await ledger.insert([full, bare])

        assert await all_records(reports, EVERYTHING, 10) == [bare, full]

    async def test_records_come_the_latest_first_and_every_one_once(
        self, ledger: Ledger, reports: UsageReports
    ) -> None:
        instants = [NOON_US, NOON_US + 1, NOON_US + 1, NOON_US + 1, NOON_US + 5]
        records = [used(n, attempt, at_us=at_us) for n, at_us in enumerate(instants) for attempt in (1, 2, 11)]
        await ledger.insert(records)

        expected = sorted(records, key=lambda each: (each.at_us, each.request_id, each.attempt), reverse=True)
        for limit in (1, 2, 5, 14, 15, 16):
            assert await all_records(reports, EVERYTHING, limit) == expected

    async def test_records_of_one_instant_are_ordered_by_code_point(
        self, ledger: Ledger, reports: UsageReports
    ) -> None:
        names = ["B", "Z-1", "a", "a-1", "a1", "b", "é"]
        await ledger.insert([used(1, request_id=RequestId(name)) for name in names])

        assert [each.request_id for each in await all_records(reports, EVERYTHING, 2)] == names[::-1]

    async def test_records_that_arrive_meanwhile_move_no_page(self, ledger: Ledger, reports: UsageReports) -> None:
        await ledger.insert([used(n) for n in range(4)])
        first = await reports.records(EVERYTHING, 2)
        await ledger.insert([used(n) for n in (5, 6)])

        second = await reports.records(EVERYTHING, 2, first.next)

        assert [*first.items, *second.items] == [used(3), used(2), used(1), used(0)]

    @pytest.mark.parametrize("cursor", ["", "x", "1:r", "r:1", "-1:r:1", "1:r:x", "1:r:²", f"{2**63}:r:1", "1:\x00:1"])
    async def test_a_cursor_that_is_none_is_refused(self, reports: UsageReports, cursor: str) -> None:
        with pytest.raises(ValueError, match="expected a cursor"):
            await reports.records(EVERYTHING, 1, cursor)
        with pytest.raises(ValueError, match="expected a cursor"):
            await reports.totals(EVERYTHING, GroupBy.KEY, 1, cursor)

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            (UsageFilter(from_us=NOON_US + 2), {2, 3, 4}),
            (UsageFilter(to_us=NOON_US + 2), {0, 1}),
            (UsageFilter(from_us=NOON_US + 1, to_us=NOON_US + 3), {1, 2}),
            (UsageFilter(from_us=NOON_US + 3, to_us=NOON_US + 1), set()),
            (UsageFilter(from_us=-(2**70), to_us=2**70), {0, 1, 2, 3, 4}),
            (UsageFilter(from_us=2**70), set()),
            (UsageFilter(request_id="r-00002"), {2}),
            (UsageFilter(key_id="k-0"), {0, 2, 4}),
            (UsageFilter(user_id="u-1"), {1, 4}),
            (UsageFilter(team_id="t-2"), {2, 3, 4}),
            (UsageFilter(model="slow"), {3, 4}),
            (UsageFilter(instance="i-4"), {4}),
            (UsageFilter(user_id=""), {3}),
            (UsageFilter(user_id="", key_id="k-1"), {3}),
            (UsageFilter(team_id="", instance="", model="", request_id=""), set()),
            (UsageFilter(key_id="k-0", team_id="t-2", from_us=NOON_US + 3), {4}),
            *((UsageFilter(key_id=text), set[int]()) for text in _NOBODY),
            *((UsageFilter(request_id=text), set[int]()) for text in _NOBODY),
        ],
    )
    async def test_a_filter_finds_what_matches_all_of_it(
        self, ledger: Ledger, reports: UsageReports, asked: UsageFilter, found: set[int]
    ) -> None:
        records = [
            used(
                n,
                key_id=f"k-{n % 2}",
                user_id=f"u-{n % 3}" if n != 3 else None,
                team_id=f"t-{1 + n // 2}" if n < 4 else "t-2",
                model_asked="fast" if n < 3 else "slow",
                instance_id=InstanceId(f"i-{n}"),
            )
            for n in range(5)
        ]
        await ledger.insert(records)

        assert {int(each.request_id[2:]) for each in await all_records(reports, asked, 2)} == found
        for group_by in GroupBy:
            assert sum(total.attempts for total in await all_totals(reports, asked, group_by)) == len(found)


class UsageTotalsContract:
    """Totals."""

    @pytest.mark.parametrize(
        ("group_by", "groups"),
        [
            (GroupBy.DAY, ["2026-09-21"] * 2),
            (GroupBy.KEY, ["", "k-1"]),
            (GroupBy.USER, ["", "u-1"]),
            (GroupBy.TEAM, ["", "t-1"]),
            (GroupBy.MODEL, ["fast", "slow"]),
            (GroupBy.INSTANCE, ["", "eu-1"]),
        ],
    )
    async def test_totals_are_of_each_group(
        self, ledger: Ledger, reports: UsageReports, group_by: GroupBy, groups: list[str]
    ) -> None:
        bare = used(9, user_id=None, team_id=None, key_id=None, instance_id=None)
        if group_by is GroupBy.MODEL:
            bare = replace(bare, model_asked="slow")
        await ledger.insert([used(1), used(1, 2, cost_nano=7, cached_input_tokens=0), used(2), bare])

        found = await all_totals(reports, EVERYTHING, group_by, 1)

        full, empty = UsageTotal("", 2, 3, 30, 15, 4, 2_007), UsageTotal("", 1, 1, 10, 5, 2, 1_000)
        match group_by:
            case GroupBy.DAY:
                assert found == [UsageTotal(groups[0], 3, 4, 40, 20, 6, 3_007)]
            case GroupBy.MODEL:
                assert found == [replace(full, group=groups[0]), replace(empty, group=groups[1])]
            case _:
                assert found == [replace(empty, group=groups[0]), replace(full, group=groups[1])]

    @pytest.mark.parametrize("group_by", [GroupBy.KEY, GroupBy.INSTANCE])
    async def test_groups_are_ordered_by_code_point_and_come_once(
        self, ledger: Ledger, reports: UsageReports, group_by: GroupBy
    ) -> None:
        names = ["", "=", "B", "Z-1", "a", "a-1", "a1", "b", "é"]
        await ledger.insert(
            [used(n, key_id=name or None, instance_id=name or None) for n, name in enumerate(names) for _ in "12"]
        )

        for limit in (1, 2, 8, 9, 10):
            assert [each.group for each in await all_totals(reports, EVERYTHING, group_by, limit)] == names

    async def test_days_are_those_of_utc(self, ledger: Ledger, reports: UsageReports) -> None:
        await ledger.insert([used(n, at_us=MIDNIGHT_US + odd) for n, odd in enumerate((-1, 0, DAY_US - 1, DAY_US))])

        found = await all_totals(reports, EVERYTHING, GroupBy.DAY)
        by_instance = await all_totals(reports, UsageFilter(instance="eu-1"), GroupBy.DAY)

        assert [(each.group, each.requests) for each in found] == [
            ("2026-09-20", 1),
            ("2026-09-21", 2),
            ("2026-09-22", 1),
        ]
        assert found == by_instance

    async def test_totals_of_a_span_are_exact_to_the_microsecond(self, ledger: Ledger, reports: UsageReports) -> None:
        instants = [MIDNIGHT_US + days * DAY_US + odd for days in range(3) for odd in (-1, 0, 1, 7_200_000_000)]
        await ledger.insert([used(n, at_us=at_us, cost_nano=1 << n) for n, at_us in enumerate(instants)])

        for first, from_us in enumerate(instants):
            for end, to_us in enumerate(instants):
                asked = UsageFilter(from_us=from_us, to_us=to_us)
                found = await all_totals(reports, asked, GroupBy.KEY)
                assert sum(each.cost_nano for each in found) == sum(1 << n for n in range(first, end))
                assert len(found) == (first < end)

    async def test_attempts_of_a_request_are_one_request_of_the_day_it_began(
        self, ledger: Ledger, reports: UsageReports
    ) -> None:
        attempts = [used(1, n, at_us=MIDNIGHT_US - 3 + n, instance_id=InstanceId(f"i-{n % 2}")) for n in range(1, 6)]
        await ledger.insert(attempts)

        by_day = await all_totals(reports, EVERYTHING, GroupBy.DAY)
        by_key = await all_totals(reports, UsageFilter(from_us=MIDNIGHT_US - 1), GroupBy.KEY)
        by_instance = await all_totals(reports, EVERYTHING, GroupBy.INSTANCE)
        of_instance = await all_totals(reports, UsageFilter(instance="i-1"), GroupBy.DAY)

        assert [(each.requests, each.attempts) for each in of_instance] == [(1, 1), (1, 2)]
        assert [(each.requests, each.attempts) for each in by_day] == [(1, 2), (0, 3)]
        assert [(each.requests, each.attempts) for each in by_key] == [(0, 4)]
        assert [(each.requests, each.attempts) for each in by_instance] == [(1, 2), (1, 3)]

    async def test_what_came_twice_is_counted_once(self, ledger: Ledger, reports: UsageReports) -> None:
        for _ in range(3):
            await ledger.insert([used(1), used(2), used(1)])

        for group_by in GroupBy:
            assert [each.attempts for each in await all_totals(reports, EVERYTHING, group_by)] == [2]
