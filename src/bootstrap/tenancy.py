"""Who may do what: keys, their users and teams, and what administrators set."""

from dependency_injector.providers import Dependency, List, Selector, Singleton

from adapters.outbound.memory.admin_store import MemoryAdminStore
from adapters.outbound.memory.audit_log import MemoryAuditLog
from adapters.outbound.memory.kept import MemoryKept
from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.memory.tenants import MemoryTenants
from adapters.outbound.pricing import read_price_list, shipped_price_list
from adapters.outbound.sql.admin_store import SqlAdminStore
from adapters.outbound.sql.audit_log import SqlAuditLog
from adapters.outbound.sql.kept import SqlKept
from adapters.outbound.sql.keyring import SqlKeyring
from application.change_feed import ChangeFeed
from application.current_prices import CurrentPrices
from application.key_authenticator import KeyAuthenticator
from application.key_cache import KeyCache
from application.key_lookup import KeyLookup
from application.key_pepper import KeyPepper
from bootstrap.foundation import FoundationContainer


class TenancyContainer(FoundationContainer):
    """`master_key` must be given."""

    master_key = Dependency(instance_of=str)

    tenants = Singleton(MemoryTenants)
    admin_store = Selector(
        FoundationContainer.kept,
        memory=Singleton(MemoryAdminStore, tenants, FoundationContainer.clock),
        sql=Singleton(SqlAdminStore, FoundationContainer.engine, FoundationContainer.clock),
    )
    audit_log = Selector(
        FoundationContainer.kept,
        memory=Singleton(MemoryAuditLog, tenants),
        sql=Singleton(SqlAuditLog, FoundationContainer.engine),
    )
    keyring = Selector(
        FoundationContainer.kept,
        memory=Singleton(MemoryKeyring, tenants),
        sql=Singleton(SqlKeyring, FoundationContainer.engine),
    )
    kept_values = Selector(
        FoundationContainer.kept,
        memory=Singleton(MemoryKept),
        sql=Singleton(SqlKept, FoundationContainer.engine),
    )
