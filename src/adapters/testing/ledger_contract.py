"""The contract of Ledger. Inherit it and give it `ledger`, empty, and `other_ledger`, another way to the same one."""

import asyncio
from dataclasses import replace

import pytest

from application.ports.ledger import Ledger, LedgerRefused
from domain.budget.charge import BudgetId, BudgetPeriod
from domain.budget.period import Period
from domain.identifiers import InstanceId, RequestId
from domain.usage_record import UsageOutcome, UsageRecord

NOON_US = 1_790_000_000_000_000 // 86_400_000_000 * 86_400_000_000 + 43_200_000_000


def used(number: int, attempt: int = 1, **fields: object) -> UsageRecord:
    """One of many records that differ, each at a cost of 1,000 nano-dollars."""
    record = UsageRecord(
        RequestId(f"r-{number:05}"),
        attempt,
        NOON_US + number,
        "fast",
        "team:t-1",
        "POST",
        "/v1/chat/completions",
        UsageOutcome.SUCCESS,
        instance_id=InstanceId("eu-1"),
        input_tokens=10,
        output_tokens=5,
        cached_input_tokens=2,
        cost_nano=1_000,
        user_id="u-1",
        team_id="t-1",
        key_id="k-1",
        first=attempt <= 1,
    )
    return replace(record, **fields)  # type: ignore[arg-type]  # fields of UsageRecord


class LedgerContract:
    """Rows: each once, whatever comes again."""

    async def test_a_record_is_inserted_once(self, ledger: Ledger, other_ledger: Ledger) -> None:
        assert await ledger.insert([used(1), used(2)]) == 2
        assert await other_ledger.insert([used(2), used(3), used(1)]) == 1
        assert await ledger.insert([used(1), used(2), used(3)]) == 0
        assert await ledger.insert([]) == 0

    async def test_of_records_with_one_id_the_first_one_stays(self, ledger: Ledger) -> None:
        budget = BudgetPeriod(BudgetId("key:k-1"), Period("total", "total", 0, None))

        assert await ledger.insert([used(1, cost_nano=7), used(1), used(1, cost_nano=9)]) == 1
        assert await ledger.insert([used(1)]) == 0

        assert (await ledger.spent([budget], ())).nano == {"key:k-1": 7}

    async def test_attempts_of_a_request_are_different_records(self, ledger: Ledger) -> None:
        assert await ledger.insert([used(1, attempt) for attempt in (0, 1, 2, 10)]) == 4

        assert await ledger.known(["r-00001:0", "r-00001:1", "r-00001:3", "r-00001:10"]) == {
            "r-00001:0",
            "r-00001:1",
            "r-00001:10",
        }

    async def test_known_are_those_that_were_inserted(self, ledger: Ledger, other_ledger: Ledger) -> None:
        await ledger.insert([used(number) for number in range(1_500)])

        asked = [f"r-{number:05}:1" for number in range(0, 3_000, 2)]
        assert await other_ledger.known(asked) == set(asked[:750])

    async def test_ids_of_no_record_are_not_known(self, ledger: Ledger) -> None:
        await ledger.insert([used(1)])

        assert await ledger.known([]) == frozenset()
        assert await ledger.known(["", ":", "r-00001", "r-00001:", "r-00001:01", "r-00001:x", "'; --:1"]) == frozenset()

    async def test_request_ids_may_hold_anything_printable(self, ledger: Ledger) -> None:
        odd = used(1, request_id=RequestId("a:1\"\\'{},запит"))

        assert await ledger.insert([odd]) == 1
        assert await ledger.known([odd.record_id]) == {odd.record_id}

    @pytest.mark.parametrize(
        "refused",
        [
            used(2, cost_nano=2**63),
            used(2, at_us=2**63 - 1),
            used(2, model_asked="\ud800"),
            used(2, client_request_id="\udfff"),
        ],
        ids=["number", "time", "model", "client request id"],
    )
    async def test_a_batch_with_a_record_that_cannot_be_stored_is_refused_whole(
        self, ledger: Ledger, refused: UsageRecord
    ) -> None:
        with pytest.raises(LedgerRefused):
            await ledger.insert([used(1), refused, used(3)])

        assert await ledger.known(["r-00001:1", "r-00002:1", "r-00003:1"]) == frozenset()
        assert await ledger.insert([used(1), used(3)]) == 2

    async def test_two_that_insert_the_same_in_opposite_orders_insert_each_once(
        self, ledger: Ledger, other_ledger: Ledger
    ) -> None:
        records = [used(number, key_id=f"k-{number % 7}") for number in range(200)]

        for _ in range(3):
            first, second = await asyncio.gather(ledger.insert(records), other_ledger.insert(records[::-1]))
            assert first + second in {0, 200}

        assert len(await ledger.known([record.record_id for record in records])) == 200
