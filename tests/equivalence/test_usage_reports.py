"""Reports of a database, most of them from its sums by day, equal those of a ledger in memory that goes over all."""

import asyncio
import tempfile
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbound.memory.ledger import MemoryLedger
from adapters.outbound.memory.usage_reports import MemoryUsageReports
from adapters.outbound.sql.ledger import SqlLedger
from adapters.outbound.sql.usage_reports import SqlUsageReports
from adapters.testing.ledger_contract import used
from adapters.testing.ledger_spent_contract import period
from adapters.testing.usage_reports_contract import DAY_US, MIDNIGHT_US, all_records, all_totals
from application.ports.usage_reports import GroupBy, UsageFilter
from domain.budget.charge import BudgetPeriod
from domain.usage_record import UsageRecord
from tests.examples import examples
from tests.servers.databases import empty_ledger

_NEARLY = st.sampled_from([-1, 0, 1, DAY_US // 2])
_INSTANTS = st.builds(lambda day, odd: MIDNIGHT_US + day * DAY_US + odd, st.integers(0, 3), _NEARLY)
_IDS = st.sampled_from([None, "a", "b"])


def _asked_for(values: st.SearchStrategy[str | None]) -> st.SearchStrategy[str | None]:
    return st.none() | st.none() | values | st.just("")


_RECORDS = st.builds(
    used,
    st.integers(0, 9),
    st.integers(0, 3),
    at_us=_INSTANTS,
    key_id=_IDS,
    team_id=_IDS,
    user_id=_IDS,
    instance_id=_IDS,
    model_asked=st.sampled_from(["fast", "slow"]),
    cost_nano=st.integers(0, 2**53 - 1),
    input_tokens=st.integers(0, 1_000),
    first=st.booleans(),
)
_FILTERS = st.builds(
    UsageFilter,
    from_us=st.none() | _INSTANTS,
    to_us=st.none() | _INSTANTS,
    request_id=st.none() | st.none() | st.none() | st.just("r-00001"),
    key_id=_asked_for(_IDS),
    user_id=_asked_for(_IDS),
    team_id=_asked_for(_IDS),
    model=_asked_for(st.just("fast")),
    instance=_asked_for(_IDS),
)
_PERIODS = st.builds(
    period, st.sampled_from(["key:a", "team:a", "member:a:b", "user:a"]), _INSTANTS, st.none() | _INSTANTS
)


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(st.lists(_RECORDS, max_size=30), max_size=3),
    st.lists(_FILTERS, min_size=1, max_size=4),
    st.lists(_PERIODS, max_size=4, unique_by=lambda each: each.budget),
)
def test_reports_and_sums_of_a_database_equal_those_of_the_records(
    batches: Sequence[Sequence[UsageRecord]], filters: Sequence[UsageFilter], periods: Sequence[BudgetPeriod]
) -> None:
    async def compare(folder: str) -> None:
        model = MemoryLedger()
        async with empty_ledger(f"sqlite:///{folder}/ledger.db") as engine:
            ledger, reports, expected = SqlLedger(engine), SqlUsageReports(engine), MemoryUsageReports(model)
            for batch in batches:
                assert await model.insert(batch) == await ledger.insert(batch)
            assert await model.spent(periods, ["r-00001:1"]) == await ledger.spent(periods, ["r-00001:1"])
            for asked in filters:
                assert await all_records(expected, asked, 7) == await all_records(reports, asked, 7)
                for group_by in GroupBy:
                    assert await all_totals(expected, asked, group_by, 2) == await all_totals(
                        reports, asked, group_by, 2
                    )

    with tempfile.TemporaryDirectory(prefix="moongate-ledger-") as folder:
        asyncio.run(compare(folder))
