from adapters.testing.audit_log_contract import AuditLogContract
from tests.contract.tenant_stores import InMemory, OnPostgres, OnSqlite


class TestMemoryAuditLog(InMemory, AuditLogContract): ...


class TestSqlAuditLogOnSqlite(OnSqlite, AuditLogContract): ...


class TestSqlAuditLogOnPostgres(OnPostgres, AuditLogContract): ...
