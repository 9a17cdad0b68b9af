from adapters.testing.keyring_contract import KeyringContract
from tests.contract.tenant_stores import InMemory, OnPostgres, OnSqlite


class TestMemoryKeyring(InMemory, KeyringContract): ...


class TestSqlKeyringOnSqlite(OnSqlite, KeyringContract): ...


class TestSqlKeyringOnPostgres(OnPostgres, KeyringContract): ...
