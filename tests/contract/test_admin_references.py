from adapters.testing.admin_references_contract import AdminReferencesContract
from tests.contract.tenant_stores import InMemory, OnPostgres, OnSqlite


class TestMemoryAdminStore(InMemory, AdminReferencesContract): ...


class TestSqlAdminStoreOnSqlite(OnSqlite, AdminReferencesContract): ...


class TestSqlAdminStoreOnPostgres(OnPostgres, AdminReferencesContract): ...
