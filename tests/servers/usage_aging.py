"""Makes what is pending in a usage stream older: the server measures that itself, and no test waits for it."""

from adapters.outbound.redis.executor import RedisExecutor
from adapters.outbound.redis.usage_stream import GROUP, RedisUsageStream

_AGE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], '-', '+', 10000)
for _, one in ipairs(pending) do
  redis.call('XCLAIM', KEYS[1], ARGV[1], one[2], 0, one[1],
    'IDLE', one[3] + tonumber(ARGV[2]), 'RETRYCOUNT', one[4], 'JUSTID')
end
return #pending
"""


async def age_pending(executor: RedisExecutor, stream: RedisUsageStream, span_us: int) -> None:
    """Sets the idle time of each pending record `span_us` higher, and leaves owner and deliveries as they are."""
    for shard in range(stream._shards):
        await executor.command("EVAL", _AGE, 1, *stream._keys(shard, "stream"), GROUP, span_us // 1_000)
