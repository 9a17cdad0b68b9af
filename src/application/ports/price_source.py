from typing import Protocol

from domain.catalog import Instance
from domain.price_book import Priced, Unpriced


class PriceSource(Protocol):
    """What instances cost at present."""

    def price_of(self, instance: Instance) -> Priced | Unpriced:
        """The instance's price now. Never waits; a change elsewhere is known here within 5 s."""
        ...
