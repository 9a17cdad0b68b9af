"""Who may do what: keys, their users and teams, and what administrators set."""

from dependency_injector.providers import Callable, Dependency, List, Selector, Singleton

from adapters.outbound.memory.admin_store import MemoryAdminStore
from adapters.outbound.memory.audit_log import MemoryAuditLog
from adapters.outbound.memory.deed_log import MemoryDeedLog
from adapters.outbound.memory.kept import MemoryKept
from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.memory.tenants import MemoryTenants
from adapters.outbound.pricing.price_list_file import shipped_price_list
from adapters.outbound.sql.admin_store import SqlAdminStore
from adapters.outbound.sql.audit_log import SqlAuditLog
from adapters.outbound.sql.deed_log import SqlDeedLog
from adapters.outbound.sql.kept import SqlKept
from adapters.outbound.sql.keyring import SqlKeyring
from application.administration.telling_store import TellingAdminStore
from application.authentication.key_authenticator import KeyAuthenticator
from application.authentication.key_cache import KeyCache
from application.authentication.key_lookup import KeyLookup
from application.authentication.key_pepper import KeyPepper
from application.change_feed import ChangeFeed
from application.current_prices import CurrentPrices
from bootstrap.containers.foundation import FoundationContainer
from bootstrap.observation import redactor_of
from domain.limits.limit import Algorithm

_Base = FoundationContainer


class TenancyContainer(FoundationContainer):
    """`master_key` must be given."""

    master_key = Dependency(instance_of=str)

    redactor = Singleton(redactor_of, _Base.settings, master_key)
    tenants = Singleton(MemoryTenants)
    silent_store = Selector(
        _Base.kept,
        memory=Singleton(MemoryAdminStore, tenants, _Base.clock),
        sql=Singleton(SqlAdminStore, _Base.engine, _Base.clock),
    )
    audit_log = Selector(
        _Base.kept,
        memory=Singleton(MemoryAuditLog, tenants),
        sql=Singleton(SqlAuditLog, _Base.engine),
    )
    deed_log = Selector(
        _Base.kept,
        memory=Singleton(MemoryDeedLog, tenants, _Base.clock),
        sql=Singleton(SqlDeedLog, _Base.engine, _Base.clock),
    )
    keyring = Selector(
        _Base.kept,
        memory=Singleton(MemoryKeyring, tenants),
        sql=Singleton(SqlKeyring, _Base.engine),
    )
    kept_values = Selector(
        _Base.kept,
        memory=Singleton(MemoryKept),
        sql=Singleton(SqlKept, _Base.engine),
    )

    shipped_prices = Singleton(shipped_price_list)
    prices = Singleton(
        CurrentPrices,
        shipped_prices,
        _Base.configured_prices,
        silent_store,
        _Base.clock,
        require=_Base.settings.provided.pricing.require,
    )
    key_cache = Singleton(KeyCache, _Base.clock)
    change_feed = Singleton(ChangeFeed, audit_log, _Base.clock, List(key_cache, prices))
    admin_store = Singleton(TellingAdminStore, silent_store, List(key_cache, prices))
    key_pepper = Singleton(
        KeyPepper,
        kept_values,
        _Base.secrets,
        Callable(lambda settings: settings.auth.key_pepper.get_secret_value(), _Base.settings),
    )
    key_lookup = Singleton(
        KeyLookup,
        keyring,
        key_pepper,
        key_cache,
        change_feed,
        Callable(Algorithm, _Base.settings.provided.rate_limit.algorithm),
    )
    authenticator = Singleton(
        KeyAuthenticator, master_key, key_lookup, _Base.clock, require_auth=_Base.settings.provided.auth.require_auth
    )
