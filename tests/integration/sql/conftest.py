from tests.servers.fixtures import postgres_url

__all__ = ["postgres_url"]
