import pytest

from adapters.outbound.memory.catalog_source import MemoryCatalogSource
from adapters.testing.small_contracts import CatalogSourceContract
from application.ports.catalog_source import CatalogSource
from domain.catalog import Catalog, RouterPolicy


class TestMemoryCatalogSource(CatalogSourceContract):
    @pytest.fixture
    def catalog(self) -> Catalog:
        return Catalog({})

    @pytest.fixture
    def policy(self) -> RouterPolicy:
        return RouterPolicy(instance_retry_attempts=7)

    @pytest.fixture
    def catalog_source(self, catalog: Catalog, policy: RouterPolicy) -> CatalogSource:
        return MemoryCatalogSource(catalog, policy)
