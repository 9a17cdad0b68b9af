from collections.abc import Iterable, Mapping
from types import MappingProxyType

from adapters.outbound.memory.ledger import MemoryLedger
from application.ports.usage_reports import GroupBy, UsageFilter, UsageReports, UsageTotal
from domain.pages import Page
from domain.usage_cursor import group_cursor, group_position, position_of, record_cursor, record_position
from domain.usage_days import utc_day
from domain.usage_record import UsageRecord

_FIELDS: Mapping[GroupBy, str] = MappingProxyType(
    {
        GroupBy.KEY: "key_id",
        GroupBy.USER: "user_id",
        GroupBy.TEAM: "team_id",
        GroupBy.MODEL: "model_asked",
        GroupBy.INSTANCE: "instance_id",
    }
)


class MemoryUsageReports:
    """Reports of a ledger in memory. Each goes over all of it."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    async def records(self, asked: UsageFilter, limit: int, after: str | None = None) -> Page[UsageRecord]:
        before = None if after is None else record_position(after)
        found = sorted(self._matching(asked), key=position_of, reverse=True)
        if before is not None:
            found = [record for record in found if position_of(record) < before]
        page = tuple(found[:limit])
        return Page(page, record_cursor(page[-1]) if len(found) > limit else None)

    async def totals(
        self, asked: UsageFilter, group_by: GroupBy, limit: int, after: str | None = None
    ) -> Page[UsageTotal]:
        last = None if after is None else group_position(after)
        groups: dict[str, list[UsageRecord]] = {}
        for record in self._matching(asked):
            groups.setdefault(_group(record, group_by), []).append(record)
        found = sorted(group for group in groups if last is None or group > last)
        anywhere = group_by is GroupBy.INSTANCE or asked.instance is not None
        page = tuple(_total(group, groups[group], anywhere=anywhere) for group in found[:limit])
        return Page(page, group_cursor(page[-1].group) if len(found) > limit else None)

    def _matching(self, asked: UsageFilter) -> Iterable[UsageRecord]:
        wanted = {
            "request_id": asked.request_id,
            "key_id": asked.key_id,
            "user_id": asked.user_id,
            "team_id": asked.team_id,
            "model_asked": asked.model,
            "instance_id": asked.instance,
        }
        fields = [(name, value) for name, value in wanted.items() if value is not None]
        for record in self._ledger.records:
            late = asked.from_us is None or asked.from_us <= record.at_us
            early = asked.to_us is None or record.at_us < asked.to_us
            if late and early and all((getattr(record, name) or "") == value for name, value in fields):
                yield record


def _group(record: UsageRecord, group_by: GroupBy) -> str:
    return utc_day(record.at_us) if group_by is GroupBy.DAY else getattr(record, _FIELDS[group_by]) or ""


def _total(group: str, records: list[UsageRecord], *, anywhere: bool) -> UsageTotal:
    return UsageTotal(
        group,
        len({record.request_id for record in records}) if anywhere else sum(record.first for record in records),
        len(records),
        sum(record.input_tokens for record in records),
        sum(record.output_tokens for record in records),
        sum(record.cached_input_tokens for record in records),
        sum(record.cost_nano for record in records),
    )


_conforms: type[UsageReports] = MemoryUsageReports
