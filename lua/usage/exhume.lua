-- usage/exhume.lua: replays a dead letter, or discards it.
--
-- KEYS[1]  stream   stream  records on their way to the ledger; absent: none
-- KEYS[2]  index    hash    by record id: "q" and the id in stream, "d" and the id in dead, or "x": discarded
-- KEYS[3]  dead     stream  dead letters; absent: none
-- ARGV[1]  id       string  of the record
-- ARGV[2]  replays  0|1     1: its record is appended anew; 0: it is discarded
--
-- Returns  1 done or 0 there is no such dead letter
-- Writes   dead loses it; stream gets it, without a TTL; index
-- Mirrors  domain.usage_stream:UsageQueue
local known = redis.call('HGET', KEYS[2], ARGV[1])
local grave = known and string.sub(known, 1, 1) == 'd' and string.sub(known, 2)
local found = grave and redis.call('XRANGE', KEYS[3], grave, grave)[1]
if not found then
  return 0
end

if ARGV[2] == '1' then
  local place = redis.call('XADD', KEYS[1], '*', 'id', ARGV[1], 'record', found[2][4])
  redis.call('HSET', KEYS[2], ARGV[1], 'q' .. place)
else
  redis.call('HSET', KEYS[2], ARGV[1], 'x')
end
redis.call('XDEL', KEYS[3], grave)
return 1
