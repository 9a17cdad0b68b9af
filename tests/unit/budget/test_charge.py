from dataclasses import replace

import pytest

from domain.budget.charge import (
    LARGEST_LIMIT_NANO,
    LARGEST_TTL_US,
    AttemptId,
    BudgetId,
    BudgetPeriod,
    Charge,
    Reservation,
)
from domain.budget.period import Period
from domain.identifiers import RequestId

TOTAL = BudgetPeriod(BudgetId("key"), Period("total", "total", 0, None))
ASKED = Reservation(AttemptId(RequestId("r"), 1), (Charge(TOTAL, 100),), 5, 1, 60_000_000)


@pytest.mark.parametrize("text", ["", "a\nb", "a\x00b", "x" * 201])
def test_ids_that_could_be_mistaken_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="budget id"):
        BudgetPeriod(BudgetId(text), TOTAL.period)
    with pytest.raises(ValueError, match="request id"):
        AttemptId(RequestId(text), 1)


@pytest.mark.parametrize("limit_nano", [-1, LARGEST_LIMIT_NANO + 1, 1.5])
def test_a_limit_is_at_most_nine_million_dollars(limit_nano: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        Charge(TOTAL, limit_nano)
    assert Charge(TOTAL, LARGEST_LIMIT_NANO).limit_nano == 9_000_000 * 10**9


def test_a_reservation_names_each_budget_once_and_at_least_one() -> None:
    for charges in ((), ASKED.charges * 2):
        with pytest.raises(ValueError, match="different budgets"):
            replace(ASKED, charges=charges)


@pytest.mark.parametrize("ttl_us", [0, -1, LARGEST_TTL_US + 1])
def test_a_reservation_lasts_up_to_a_day(ttl_us: int) -> None:
    with pytest.raises(ValueError, match="ttl"):
        replace(ASKED, ttl_us=ttl_us)


@pytest.mark.parametrize("epoch", [0, -1, True, 2**53])
def test_epochs_count_from_one(epoch: int) -> None:
    with pytest.raises(ValueError, match="epoch"):
        replace(ASKED, epoch=epoch)


def test_attempts_count_from_one() -> None:
    with pytest.raises(ValueError, match="attempt from 1"):
        AttemptId(RequestId("r"), 0)


def test_an_attempt_id_is_read_as_it_was_written() -> None:
    for request_id in ("r", "r:1", ":"):
        attempt_id = AttemptId(RequestId(request_id), 12)
        assert AttemptId.parse(str(attempt_id)) == attempt_id
