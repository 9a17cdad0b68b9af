from typing import NamedTuple, Protocol


class BudgetEpoch(NamedTuple):
    """The present state of all budgets in the store.

    Attributes:
        number: From 1; rises when the store may have lost something.
        age_us: How long ago it rose, by the store's clock.
    """

    number: int
    age_us: int


class BudgetEpochs(Protocol):
    """Notices that the store of budgets may have lost data: emptied, restarted, or another server in its place."""

    async def epoch(self) -> BudgetEpoch:
        """The epoch as of now. Raises StateUnavailable."""
        ...
