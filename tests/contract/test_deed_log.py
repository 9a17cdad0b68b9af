from adapters.testing.deed_log_contract import DeedLogContract
from tests.contract.tenant_stores import InMemory, OnPostgres, OnSqlite


class TestMemoryDeedLog(InMemory, DeedLogContract): ...


class TestSqlDeedLogOnSqlite(OnSqlite, DeedLogContract): ...


class TestSqlDeedLogOnPostgres(OnPostgres, DeedLogContract): ...
