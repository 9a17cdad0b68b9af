from application.ports.budget_roll import ROLL_KEPT_US, BudgetRoll
from application.ports.clock import Clock


class RollCall:
    """Knows who serves beside this gateway, also right after the store has lost that with everything else."""

    def __init__(self, roll: BudgetRoll, clock: Clock) -> None:
        self._roll = roll
        self._clock = clock
        self._heard: dict[str, tuple[int, int]] = {}
        self._epoch = 1

    async def answer(self, epoch: int) -> None:
        """Says that this gateway has brought back what it had, at that epoch. Raises StateUnavailable."""
        self._epoch = epoch
        await self.listen()

    async def listen(self) -> None:
        """Hears what the others have said by now. Raises StateUnavailable."""
        said = await self._roll.answer(self._epoch)
        now_us = self._clock.monotonic_us()
        fresh = {name: (one.epoch, now_us - one.age_us) for name, one in said.items()}
        self._heard = {name: heard for name, heard in (self._heard | fresh).items() if now_us - heard[1] < ROLL_KEPT_US}

    def awaits(self, epoch: int) -> bool:
        """Whether one that was there lately has not said so at that epoch."""
        return any(number < epoch for number, _ in self._heard.values())
