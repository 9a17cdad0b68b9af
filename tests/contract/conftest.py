from tests.servers.fixtures import redis_executor, redis_prefix, redis_url

__all__ = ["redis_executor", "redis_prefix", "redis_url"]
