from tests.servers.fixtures import postgres_url, tenants_database

__all__ = ["postgres_url", "tenants_database"]
