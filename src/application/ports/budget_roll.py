from collections.abc import Mapping
from typing import Protocol

from domain.budget.epoch import Said


class BudgetRoll(Protocol):
    """Lets gateways know of each other who has brought back its reservations to a store that may have lost them."""

    async def answer(self, epoch: int) -> Mapping[str, Said]:
        """Says that this gateway has, at `epoch` (from 1); what each said last, by its name, this one among them.

        What was said ROLL_KEPT_US ago counts no more. A store that is emptied forgets all of it. Raises
        StateUnavailable.
        """
        ...


ROLL_KEPT_US = 10_000_000
"""Gateways answer four times a second: one that has been silent for so long is gone."""
