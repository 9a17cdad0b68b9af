from adapters.testing.admin_store_contract import AdminStoreContract
from tests.contract.tenant_stores import InMemory, OnPostgres, OnSqlite


class TestMemoryAdminStore(InMemory, AdminStoreContract): ...


class TestSqlAdminStoreOnSqlite(OnSqlite, AdminStoreContract): ...


class TestSqlAdminStoreOnPostgres(OnPostgres, AdminStoreContract): ...
