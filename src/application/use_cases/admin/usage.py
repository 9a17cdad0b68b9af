from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from application.administration.patching import legal
from application.ports.usage_reports import GroupBy, UsageFilter, UsageReports, UsageTotal
from domain.pages import Page
from domain.principal import Principal
from domain.usage_cursor import group_cursor, position_of, record_cursor
from domain.usage_record import UsageRecord


@dataclass(frozen=True, slots=True)
class ReadUsage:
    """What requests used and cost. Whoever sees not all sees the usage of its teams, as if there were no other."""

    reports: UsageReports

    async def records(
        self, principal: Principal, asked: UsageFilter, limit: int, after: str | None
    ) -> Page[UsageRecord]:
        """Records, the latest first. Raises InvalidRequest where `after` is no cursor, StateUnavailable."""
        with legal("after"):
            pages = [await self.reports.records(part, limit, after) for part in _seen(principal, asked)]
        if len(pages) == 1:
            return pages[0]
        # Whatever is among the latest of all is among the latest of its team.
        found = sorted((record for page in pages for record in page.items), key=position_of, reverse=True)
        items = tuple(found[:limit])
        return Page(items, record_cursor(items[-1]) if _goes_on(pages, len(found), limit) else None)

    async def totals(
        self, principal: Principal, asked: UsageFilter, group_by: GroupBy, limit: int, after: str | None
    ) -> Page[UsageTotal]:
        """Totals of groups, in the order of their code points. Raises as `records`."""
        with legal("after"):
            pages = [await self.reports.totals(part, group_by, limit, after) for part in _seen(principal, asked)]
        if len(pages) == 1:
            return pages[0]
        # Whatever is among the first groups of all is among the first of each team that has it. No request has two.
        found = _added(total for page in pages for total in page.items)
        items = tuple(found[:limit])
        return Page(items, group_cursor(items[-1].group) if _goes_on(pages, len(found), limit) else None)


def _seen(principal: Principal, asked: UsageFilter) -> Sequence[UsageFilter]:
    """What is asked, in parts that the principal may see: one for each team, which no two share a record of."""
    if principal.sees_all:
        return [asked]
    teams = sorted(team for team in principal.teams if asked.team_id in {None, team})
    return [replace(asked, team_id=team) for team in teams]


def _goes_on(pages: Iterable[Page[UsageRecord]] | Iterable[Page[UsageTotal]], found: int, limit: int) -> bool:
    return found > limit or any(page.next is not None for page in pages)


def _added(totals: Iterable[UsageTotal]) -> list[UsageTotal]:
    groups: dict[str, UsageTotal] = {}
    for one in totals:
        other = groups.get(one.group)
        groups[one.group] = one if other is None else _sum(one, other)
    return sorted(groups.values(), key=lambda total: total.group)


def _sum(one: UsageTotal, other: UsageTotal) -> UsageTotal:
    return UsageTotal(
        group=one.group,
        requests=one.requests + other.requests,
        attempts=one.attempts + other.attempts,
        input_tokens=one.input_tokens + other.input_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
        cached_input_tokens=one.cached_input_tokens + other.cached_input_tokens,
        cost_nano=one.cost_nano + other.cost_nano,
    )
