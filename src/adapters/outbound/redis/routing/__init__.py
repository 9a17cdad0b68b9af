from adapters.outbound.redis.routing.adapter import RedisRouting

__all__ = ["RedisRouting"]
