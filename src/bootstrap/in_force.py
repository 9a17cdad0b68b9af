"""The configuration that holds now."""

from bootstrap.settings import CatalogResult, Settings
from domain.price_book import PriceList


class InForce:
    """What this process goes by: replaced whole by a reload."""

    def __init__(self, settings: Settings, configured: CatalogResult, price_list: PriceList | None) -> None:
        self.settings = settings
        self.configured = configured
        self.price_list = price_list
