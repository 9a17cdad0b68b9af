"""What requests used and cost."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from adapters.inbound.http.admin.csv_pages import CSV, CsvQuery, Sheet
from adapters.inbound.http.admin.route import AnyRoute, Asked, Method, Route
from adapters.inbound.http.admin.schema import Listing, NoFields, Schema
from adapters.inbound.http.admin.usage_record_shown import UsageRecordShown, shown_record
from adapters.inbound.http.admin.wire import DollarsOut, TimeIn
from adapters.inbound.http.exchange import Outgoing
from application.ports.usage_reports import GroupBy, UsageFilter, UsageTotal
from application.use_cases.admin.usage import ReadUsage
from domain.pages import Page
from domain.principal import Permission

_SAMPLE = "2026-11-23"
_From = Annotated[TimeIn | None, Field(alias="from", description=f"This instant or later: {_SAMPLE}, in UTC.")]
_To = Annotated[TimeIn | None, Field(alias="to", description="Before this instant.")]


class UsageTotalShown(Schema):
    """What the records of one group come to. `requests` counts distinct ones, whatever number of attempts they took.

    `group` is a date in UTC, an id or a name; empty for records that have none.
    """

    group: str
    requests: int
    attempts: int
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cost_usd: DollarsOut


class UsageTotalList(Listing[UsageTotalShown]):
    """Totals, in the order of their groups."""


class UsageRecordList(Listing[UsageRecordShown]):
    """Records, the latest first."""


class UsageRecordQuery(CsvQuery):
    """Which records: all that match everything that is given. An empty value finds those that have none."""

    from_us: _From = None
    to_us: _To = None
    request_id: str | None = None
    key_id: str | None = None
    user_id: str | None = None
    team_id: str | None = None
    model: str | None = None
    instance: str | None = None

    def filter(self) -> UsageFilter:
        """The same for the use case."""
        return UsageFilter(
            from_us=self.from_us,
            to_us=self.to_us,
            request_id=self.request_id,
            key_id=self.key_id,
            user_id=self.user_id,
            team_id=self.team_id,
            model=self.model,
            instance=self.instance,
        )


class UsageQuery(UsageRecordQuery):
    """Which records, and what they are summed up by."""

    group_by: GroupBy = GroupBy.DAY


@dataclass(frozen=True, slots=True)
class _Handlers:
    usage: ReadUsage

    async def totals(self, asked: Asked[NoFields, UsageQuery]) -> UsageTotalList | Outgoing:
        query, filtered = asked.query, asked.query.filter()

        async def fetch(limit: int, after: str | None) -> Page[UsageTotalShown]:
            page = await self.usage.totals(asked.principal, filtered, query.group_by, limit, after)
            return Page(tuple(_total(total) for total in page.items), page.next)

        if query.wants_csv:
            return await Sheet("usage", UsageTotalShown, fetch).answer(query)
        return UsageTotalList(**_page(await fetch(query.limit, query.after)))

    async def records(self, asked: Asked[NoFields, UsageRecordQuery]) -> UsageRecordList | Outgoing:
        query, filtered = asked.query, asked.query.filter()

        async def fetch(limit: int, after: str | None) -> Page[UsageRecordShown]:
            page = await self.usage.records(asked.principal, filtered, limit, after)
            return Page(tuple(shown_record(record) for record in page.items), page.next)

        if query.wants_csv:
            return await Sheet("usage-records", UsageRecordShown, fetch).answer(query)
        return UsageRecordList(**_page(await fetch(query.limit, query.after)))


def usage_routes(usage: ReadUsage) -> tuple[AnyRoute, ...]:
    """`GET /usage` and `GET /usage/records`."""
    handlers = _Handlers(usage)
    return (
        Route(
            method=Method.GET,
            path="/usage",
            permission=Permission.SEE_TENANTS,
            summary="Usage by day, key, user, team, model or instance",
            handler=handlers.totals,
            query=UsageQuery,
            response=UsageTotalList,
            media=CSV,
        ),
        Route(
            method=Method.GET,
            path="/usage/records",
            permission=Permission.SEE_TENANTS,
            summary="Usage of every single attempt",
            handler=handlers.records,
            query=UsageRecordQuery,
            response=UsageRecordList,
            media=CSV,
        ),
    )


def _page(page: Page[Any]) -> dict[str, Any]:
    return {"data": page.items, "next": page.next}


def _total(total: UsageTotal) -> UsageTotalShown:
    return UsageTotalShown(
        group=total.group,
        requests=total.requests,
        attempts=total.attempts,
        input_tokens=total.input_tokens,
        output_tokens=total.output_tokens,
        cached_input_tokens=total.cached_input_tokens,
        cost_usd=total.cost_nano,
    )
