"""The contract of BudgetEpochs: inherit it, give it `epochs` and `clock`, and every test must pass."""

from adapters.testing.virtual_time import ManualClock
from application.ports.budget_epoch import BudgetEpochs
from domain.durations import SECOND_US


class BudgetEpochsContract:
    """Wants `epochs` over a store in which no epoch was asked for yet, and the `clock` that the store goes by."""

    async def test_epochs_begin_with_one(self, epochs: BudgetEpochs) -> None:
        assert (await epochs.epoch()).number == 1

    async def test_an_epoch_stays_while_nothing_is_lost_and_grows_no_younger(
        self, epochs: BudgetEpochs, clock: ManualClock
    ) -> None:
        first = await epochs.epoch()
        clock.advance(100 * SECOND_US)

        later = await epochs.epoch()

        assert later.number == first.number
        assert first.age_us >= 0
        assert later.age_us in {first.age_us, first.age_us + 100 * SECOND_US}
