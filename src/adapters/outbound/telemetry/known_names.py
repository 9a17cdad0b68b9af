from application.ports.catalog_source import CatalogSource
from domain.catalog import Catalog

OTHER = "other"


class KnownNames:
    """Keeps series few: a client may send any name, and a key may have names of its own."""

    def __init__(self, catalog_source: CatalogSource) -> None:
        self._source = catalog_source
        self._catalog: Catalog | None = None
        self._names: frozenset[str] = frozenset()

    def __call__(self, name: str) -> str:
        """The name where it is one of the configuration."""
        catalog, _ = self._source.current()
        if catalog is not self._catalog:
            self._catalog = catalog
            self._names = frozenset((*catalog.instances, *catalog.aliases, *catalog.routes))
        return name if name in self._names else OTHER
