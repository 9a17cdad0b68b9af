-- usage/depth.lua: counts the records of a shard.
--
-- KEYS[1]  stream  stream  records on their way to the ledger; absent: none
-- KEYS[2]  dead    stream  dead letters; absent: none
-- ARGV[1]  group   string  the consumer group; missing: nothing is pending
--
-- Returns  {waiting, pending, dead}
-- Writes   nothing
-- Mirrors  domain.usage_stream:UsageDepth
local summary = redis.pcall('XPENDING', KEYS[1], ARGV[1])
local pending = summary.err and 0 or summary[1]
return {redis.call('XLEN', KEYS[1]) - pending, pending, redis.call('XLEN', KEYS[2])}
