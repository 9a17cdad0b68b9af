import io
import struct
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.budget.period import Period, PeriodKind, period_of

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = (
    "UTC",
    "Europe/Kyiv",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Pacific/Apia",
    "Pacific/Kwajalein",
    "Africa/Cairo",
    "Asia/Kathmandu",
)
KINDS = tuple(PeriodKind)


def at(text: str) -> int:
    """Microseconds of an instant with its offset: `2026-03-29T00:00+02:00`."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def period(text: str, kind: PeriodKind, zone: str) -> Period:
    return period_of(at(text), kind, ZoneInfo(zone))


@pytest.mark.parametrize(
    ("zone", "now", "id_", "starts", "ends", "hours"),
    [
        ("Europe/Kyiv", "2026-03-29T12:00+03:00", "2026-03-29", "2026-03-29T00:00+02:00", "2026-03-30T00:00+03:00", 23),
        ("Europe/Kyiv", "2026-10-25T12:00+02:00", "2026-10-25", "2026-10-25T00:00+03:00", "2026-10-26T00:00+02:00", 25),
        ("America/New_York", "2026-03-08T12:00Z", "2026-03-08", "2026-03-08T00:00-05:00", "2026-03-09T00:00-04:00", 23),
        ("America/New_York", "2026-11-01T12:00Z", "2026-11-01", "2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00", 25),
        # Half an hour of summer time.
        (
            "Australia/Lord_Howe",
            "2026-04-05T12:00+10:30",
            "2026-04-05",
            "2026-04-05T00:00+11:00",
            "2026-04-06T00:00+10:30",
            24.5,
        ),
        (
            "Australia/Lord_Howe",
            "2026-10-04T12:00+11:00",
            "2026-10-04",
            "2026-10-04T00:00+10:30",
            "2026-10-05T00:00+11:00",
            23.5,
        ),
        # Midnight does not exist: the day begins at one o'clock.
        (
            "America/Sao_Paulo",
            "2018-11-04T12:00-02:00",
            "2018-11-04",
            "2018-11-04T01:00-02:00",
            "2018-11-05T00:00-02:00",
            23,
        ),
        # The clock is set back at midnight: the hour before comes twice, the day begins once.
        (
            "America/Sao_Paulo",
            "2018-02-17T23:30-03:00",
            "2018-02-17",
            "2018-02-17T00:00-02:00",
            "2018-02-18T00:00-03:00",
            25,
        ),
        ("UTC", "2028-02-29T23:59+00:00", "2028-02-29", "2028-02-29T00:00+00:00", "2028-03-01T00:00+00:00", 24),
    ],
)
def test_a_local_day_is_as_long_as_it_is_there(
    zone: str, now: str, id_: str, starts: str, ends: str, hours: float
) -> None:
    day = period(now, PeriodKind.DAILY, zone)

    assert day == Period(f"{id_}@{zone}", f"daily@{zone}", at(starts), at(ends))
    assert day.ends_us is not None
    assert day.ends_us - day.starts_us == hours * HOUR_US


def zone_by(rule: str) -> ZoneInfo:
    """A zone that follows a POSIX rule and is in no database (RFC 9636)."""
    header = b"TZif2" + bytes(15) + struct.pack(">6l", 0, 0, 0, 0, 1, 4)
    block = header + struct.pack(">lBB", 0, 0, 0) + b"AAA\0"
    return ZoneInfo.from_file(io.BytesIO(block + block + f"\n{rule}\n".encode()), key="Made/Up")


def test_a_day_begins_after_the_gap_where_the_clock_jumps_over_midnight() -> None:
    zone = zone_by("AAA0BBB-1,M3.5.0/23:30,M10.5.0/3")  # last Sunday of March: 23:30 is followed by 00:30

    sunday = period_of(at("2026-03-29T12:00Z"), PeriodKind.DAILY, zone)

    assert sunday.ends_us == at("2026-03-29T23:30Z")
    assert period_of(at("2026-03-29T23:30Z"), PeriodKind.DAILY, zone).id == "2026-03-30@Made/Up"


@pytest.mark.parametrize(
    ("zone", "last_instant", "last_id", "next_id"),
    [
        ("Pacific/Apia", "2011-12-29T23:59:59.999999-10:00", "2011-12-29", "2011-12-31"),
        ("Pacific/Kiritimati", "1994-12-30T23:59:59.999999-10:00", "1994-12-30", "1995-01-01"),
    ],
)
def test_a_day_lost_at_the_date_line_has_no_instant(zone: str, last_instant: str, last_id: str, next_id: str) -> None:
    last = period(last_instant, PeriodKind.DAILY, zone)
    following = period_of(at(last_instant) + 1, PeriodKind.DAILY, ZoneInfo(zone))

    assert (last.id, following.id) == (f"{last_id}@{zone}", f"{next_id}@{zone}")
    assert last.ends_us == following.starts_us == at(last_instant) + 1


def test_a_year_ends_with_the_day_before_where_its_last_day_is_skipped() -> None:
    year = period("1994-06-01T00:00Z", PeriodKind.YEARLY, "Pacific/Kiritimati")

    assert year.ends_us == at("1994-12-31T00:00-10:00")


def test_the_hour_that_comes_again_after_midnight_belongs_to_the_new_day() -> None:
    # St John's set its clock back from 00:01 to 23:01: the new day lasts a minute, then yesterday is shown again.
    days = [
        period(instant, PeriodKind.DAILY, "America/St_Johns").id[:10]
        for instant in (
            "2006-10-28T23:59:59-02:30",
            "2006-10-29T00:00:30-02:30",
            "2006-10-28T23:30:00-03:30",
            "2006-10-29T00:30:00-03:30",
        )
    ]

    assert days == ["2006-10-28", "2006-10-29", "2006-10-29", "2006-10-29"]


@pytest.mark.parametrize(
    ("now", "kind", "id_", "starts", "ends"),
    [
        ("2026-01-31T23:59Z", PeriodKind.MONTHLY, "2026-01", "2026-01-01T00:00Z", "2026-02-01T00:00Z"),
        ("2028-02-29T12:00Z", PeriodKind.MONTHLY, "2028-02", "2028-02-01T00:00Z", "2028-03-01T00:00Z"),
        ("2026-02-28T23:59Z", PeriodKind.MONTHLY, "2026-02", "2026-02-01T00:00Z", "2026-03-01T00:00Z"),
        ("2026-12-31T23:59Z", PeriodKind.MONTHLY, "2026-12", "2026-12-01T00:00Z", "2027-01-01T00:00Z"),
        ("2028-02-29T12:00Z", PeriodKind.YEARLY, "2028", "2028-01-01T00:00Z", "2029-01-01T00:00Z"),
        ("2026-11-29T23:59Z", PeriodKind.WEEKLY, "2026-W48", "2026-11-23T00:00Z", "2026-11-30T00:00Z"),
        ("2026-11-30T00:00Z", PeriodKind.WEEKLY, "2026-W49", "2026-11-30T00:00Z", "2026-12-07T00:00Z"),
        ("2027-01-03T12:00Z", PeriodKind.WEEKLY, "2026-W53", "2026-12-28T00:00Z", "2027-01-04T00:00Z"),
    ],
)
def test_audit_7_2_budgets_begin_anew_by_the_calendar_of_their_zone(
    now: str, kind: PeriodKind, id_: str, starts: str, ends: str
) -> None:
    assert period(now, kind, "UTC") == Period(f"{id_}@UTC", f"{kind}@UTC", at(starts), at(ends))


def test_a_month_begins_at_local_midnight() -> None:
    month = period("2026-11-15T12:00Z", PeriodKind.MONTHLY, "Europe/Kyiv")

    assert month.id == "2026-11@Europe/Kyiv"
    assert month.starts_us == at("2026-11-01T00:00+02:00")


def test_total_is_one_period_for_all_times_and_zones() -> None:
    assert {
        period(now, PeriodKind.TOTAL, zone) for now in ("1970-01-01T00:00Z", "2500-01-01T00:00Z") for zone in ZONES
    } == {Period("total", "total", 0, None)}


@pytest.mark.parametrize("now_us", [-1, at("9998-01-01T00:00Z")])
def test_times_that_no_calendar_covers_are_refused(now_us: int) -> None:
    with pytest.raises(ValueError, match="microseconds since 1970"):
        period_of(now_us, PeriodKind.DAILY, ZoneInfo("UTC"))


INSTANTS = st.integers(at("1970-01-02T00:00Z"), at("2037-12-31T00:00Z"))


@given(now_us=INSTANTS, kind=st.sampled_from(KINDS), zone=st.sampled_from(ZONES))
def test_each_instant_lies_in_its_period_and_the_edges_meet(now_us: int, kind: PeriodKind, zone: str) -> None:
    found = period_of(now_us, kind, ZoneInfo(zone))

    assert found.holds(now_us)
    if found.ends_us is not None:
        following = period_of(found.ends_us, kind, ZoneInfo(zone))
        assert period_of(found.ends_us - 1, kind, ZoneInfo(zone)) == found
        assert following.starts_us == found.ends_us
        assert not found.holds(found.ends_us)
        assert following.id != found.id
    if found.starts_us > 0:
        assert period_of(found.starts_us, kind, ZoneInfo(zone)) == found


@given(
    earlier_us=INSTANTS,
    span_us=st.integers(0, 40 * DAY_US),
    kind=st.sampled_from(KINDS),
    zone=st.sampled_from(ZONES),
)
def test_periods_never_go_back(earlier_us: int, span_us: int, kind: PeriodKind, zone: str) -> None:
    earlier = period_of(earlier_us, kind, ZoneInfo(zone))
    later = period_of(earlier_us + span_us, kind, ZoneInfo(zone))

    assert earlier.starts_us <= later.starts_us
    assert (earlier.id == later.id) == (earlier.starts_us == later.starts_us)


@pytest.mark.parametrize("zone", ZONES)
def test_every_change_of_the_clock_since_1970_keeps_the_days_in_order(zone: str) -> None:
    place = ZoneInfo(zone)
    day = period_of(at("1970-01-02T00:00Z"), PeriodKind.DAILY, place)
    end_us = at("2037-12-30T00:00Z")
    count = 0
    while day.starts_us < end_us:
        assert day.ends_us is not None
        following = period_of(day.ends_us, PeriodKind.DAILY, place)
        assert following.starts_us == day.ends_us
        assert following.id > day.id
        day, count = following, count + 1
    assert count > 24_000
