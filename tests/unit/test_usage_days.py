import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.testing.ledger_contract import NOON_US, used
from domain.usage_days import DAY_US, DaySplit, UsageDay, UsageSums, split_by_day, summed, utc_day

_LAST_US = 253_402_300_800_000_000 - 1
_INSTANTS = st.integers(0, 5 * DAY_US) | st.integers(0, 5).map(lambda days: days * DAY_US)


@pytest.mark.parametrize(
    ("at_us", "day"),
    [
        (0, "1970-01-01"),
        (DAY_US - 1, "1970-01-01"),
        (DAY_US, "1970-01-02"),
        (951_782_400_000_000, "2000-02-29"),
        (_LAST_US, "9999-12-31"),
    ],
)
def test_an_instant_has_its_day_in_utc(at_us: int, day: str) -> None:
    assert utc_day(at_us) == day


@pytest.mark.parametrize("at_us", [_LAST_US + 1, 2**63 - 1, -(10**20)])
def test_an_instant_outside_of_the_calendar_has_no_day(at_us: int) -> None:
    with pytest.raises(ValueError, match="expected a day before the year 10000"):
        utc_day(at_us)


@given(_INSTANTS, _INSTANTS, _INSTANTS)
@example(0, DAY_US, DAY_US - 1)
@example(1, DAY_US, 1)
def test_a_split_span_holds_the_same_instants_once(from_us: int, to_us: int, at_us: int) -> None:
    split = split_by_day(from_us, to_us)

    in_days = split.days is not None and split.days[0] <= utc_day(at_us) <= split.days[1]
    in_edges = [edge for edge in split.edges if edge[0] <= at_us < edge[1]]
    assert in_days + len(in_edges) == (from_us <= at_us < to_us)


@given(_INSTANTS, _INSTANTS)
def test_all_whole_days_of_a_span_are_used(from_us: int, to_us: int) -> None:
    assert all(later - earlier < 2 * DAY_US for earlier, later in split_by_day(from_us, to_us).edges)
    assert split_by_day(from_us, from_us + 2 * DAY_US).days is not None


@pytest.mark.parametrize("end_us", [None, _LAST_US + 1, 2**80])
def test_a_span_without_end_reaches_the_last_day(end_us: int | None) -> None:
    assert split_by_day(-5, end_us) == DaySplit(("1970-01-01", "9999-12-31"), ())
    assert split_by_day(2**80, end_us) == DaySplit(None, ())


def test_sums_are_by_day_and_by_all_that_reports_group_by() -> None:
    other = used(3, at_us=NOON_US + DAY_US, key_id=None, user_id=None, team_id=None, instance_id=None)

    assert summed([used(1), used(1, 2), other]) == {
        UsageDay("t-1", "u-1", "2026-09-21", "k-1", "fast", "eu-1"): UsageSums(1, 2, 20, 10, 4, 2_000),
        UsageDay("", "", "2026-09-22", "", "fast", ""): UsageSums(1, 1, 10, 5, 2, 1_000),
    }
