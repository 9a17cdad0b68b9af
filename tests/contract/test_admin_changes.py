from adapters.testing.admin_changes_contract import AdminChangesContract
from tests.contract.tenant_stores import InMemory, OnPostgres, OnSqlite


class TestMemoryAdminStore(InMemory, AdminChangesContract): ...


class TestSqlAdminStoreOnSqlite(OnSqlite, AdminChangesContract): ...


class TestSqlAdminStoreOnPostgres(OnPostgres, AdminChangesContract): ...
