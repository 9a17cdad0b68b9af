from tests.servers.fixtures import postgres_url, redis_executor, redis_prefix, redis_url

__all__ = ["postgres_url", "redis_executor", "redis_prefix", "redis_url"]
