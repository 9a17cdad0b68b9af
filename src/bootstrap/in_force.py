"""The configuration that holds now."""

from bootstrap.settings import CatalogResult, Settings


class InForce:
    """What this process goes by: replaced whole by a reload."""

    def __init__(self, settings: Settings, configured: CatalogResult) -> None:
        self.settings = settings
        self.configured = configured
