from collections.abc import Collection, Iterable, Sequence

from application.ports.ledger import Ledger, LedgerRefused, Spent
from domain.budget.charge import BudgetPeriod
from domain.budget.spending import spender
from domain.usage_days import utc_day
from domain.usage_record import UsageRecord

_MAX_QUANTITY = (1 << 63) - 1


class MemoryLedger:
    """The ledger of this process. Each method runs without a pause, so it is atomic."""

    def __init__(self) -> None:
        self._records: dict[str, UsageRecord] = {}

    @property
    def records(self) -> Iterable[UsageRecord]:
        """All that was inserted."""
        return self._records.values()

    async def insert(self, records: Sequence[UsageRecord]) -> int:
        for record in records:
            _check(record)
        before = len(self._records)
        for record in records:
            self._records.setdefault(record.record_id, record)
        return len(self._records) - before

    async def known(self, record_ids: Collection[str]) -> frozenset[str]:
        return frozenset(record_ids) & self._records.keys()

    async def spent(self, periods: Sequence[BudgetPeriod], among: Collection[str]) -> Spent:
        known = {record_id: self._records[record_id].cost_nano for record_id in await self.known(among)}
        return Spent({each.budget: self._spent(each) for each in periods}, known)

    def _spent(self, of: BudgetPeriod) -> int:
        owner = spender(of.budget).items()
        return sum(
            record.cost_nano
            for record in self._records.values()
            if of.period.holds(record.at_us) and all(getattr(record, name) == value for name, value in owner)
        )


def _check(record: UsageRecord) -> None:
    """Refuses what a database would."""
    try:
        utc_day(record.at_us)
        f"{record.request_id}{record.model_asked}{record.client_request_id}".encode()
    except ValueError as error:
        raise LedgerRefused(f"the ledger refuses a record: {error}") from error
    if max(record.cost_nano, record.input_tokens, record.output_tokens) > _MAX_QUANTITY:
        raise LedgerRefused(f"the ledger refuses a record: expected quantities of at most {_MAX_QUANTITY}")


_conforms: type[Ledger] = MemoryLedger
