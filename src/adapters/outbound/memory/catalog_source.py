from application.ports.catalog_source import CatalogSource
from domain.catalog import Catalog, RouterPolicy


class MemoryCatalogSource:
    """The catalog as it was configured."""

    def __init__(self, catalog: Catalog, policy: RouterPolicy) -> None:
        self._current = (catalog, policy)

    def current(self) -> tuple[Catalog, RouterPolicy]:
        return self._current

    def replace(self, catalog: Catalog, policy: RouterPolicy) -> None:
        """Takes over another configuration."""
        self._current = (catalog, policy)


_conforms: type[CatalogSource] = MemoryCatalogSource
