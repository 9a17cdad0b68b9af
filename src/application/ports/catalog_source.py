from typing import Protocol

from domain.catalog import Catalog, RouterPolicy


class CatalogSource(Protocol):
    """The configuration of models in force. A reload replaces both at once; a request keeps what it began with."""

    def current(self) -> tuple[Catalog, RouterPolicy]:
        """Catalog and policy that belong together."""
        ...
