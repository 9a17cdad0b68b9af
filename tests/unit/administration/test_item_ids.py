"""Ids of what administrators create."""

from hypothesis import given
from hypothesis import strategies as st

from domain.item_ids import item_id
from domain.tenants import check_id

LATEST_US = 17_500_000_000_000_000
TIMES = st.integers(0, LATEST_US)
BITS = st.integers(0, 2**70)


@given(now_us=TIMES, bits=BITS)
def test_id_is_one_that_every_store_takes(now_us: int, bits: int) -> None:
    made = item_id("team", now_us, bits)

    check_id(made, "team id")
    assert len(made) == len("team_") + 20


@given(earlier_us=TIMES, span_us=st.integers(1_000, LATEST_US), bits=BITS, other=BITS)
def test_later_ids_sort_after_earlier_ones(earlier_us: int, span_us: int, bits: int, other: int) -> None:
    later_us = min(earlier_us + span_us, LATEST_US + 1_000)

    assert item_id("key", earlier_us, bits) < item_id("key", later_us, other)


def test_ids_of_one_moment_differ_by_chance_alone() -> None:
    assert item_id("key", 1_000, 0) == "key_00000000200000000000"
    assert item_id("key", 1_999, 2**56 - 1) == "key_000000003zzzzzzzzzzz"
    assert item_id("key", 1_000, 2**56) == item_id("key", 1_000, 0)
