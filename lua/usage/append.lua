-- usage/append.lua: adds a record, once for each id that is here.
--
-- KEYS[1]  stream  stream  records on their way to the ledger; absent: none
-- KEYS[2]  index   hash    by record id: "q" and the id in stream, "d" and the id in dead, or "x": discarded
-- ARGV[1]  id      string  of the record
-- ARGV[2]  record  string  opaque
--
-- Returns  1 added or 0 a record of that id is here, alive, dead or discarded
-- Writes   stream and index, both without a TTL: what is not acknowledged must not be lost
-- Mirrors  domain.usage_stream:UsageQueue
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then
  return 0
end

local place = redis.call('XADD', KEYS[1], '*', 'id', ARGV[1], 'record', ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], 'q' .. place)
return 1
