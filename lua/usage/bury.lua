-- usage/bury.lua: makes a record a dead letter.
--
-- KEYS[1]  stream      stream  records on their way to the ledger; absent: none
-- KEYS[2]  index       hash    by record id: "q" and the id in stream, "d" and the id in dead, or "x": discarded
-- KEYS[3]  dead        stream  dead letters; absent: none
-- ARGV[1]  group       string  the consumer group; missing: nothing is pending
-- ARGV[2]  id          string  of the record
-- ARGV[3]  deliveries  int     how often it was delivered
-- ARGV[4]  error       string  why the ledger refused it
-- ARGV[5]  now_us      int|""  virtual time for tests; "" reads the server's TIME
--
-- Returns  1 it is a dead letter now or 0 it is not in the stream (any more)
-- Writes   dead, without a TTL; stream loses the record; index
-- Mirrors  domain.usage_stream:UsageQueue
--
-- @include lib/now
-- @include lib/whole
local now_us = now(ARGV[5])
local known = redis.call('HGET', KEYS[2], ARGV[2])
local place = known and string.sub(known, 1, 1) == 'q' and string.sub(known, 2)
local found = place and redis.call('XRANGE', KEYS[1], place, place)[1]
if not found then
  return 0
end

local grave = redis.call('XADD', KEYS[3], '*', 'id', ARGV[2], 'record', found[2][4], 'deliveries', ARGV[3],
  'error', ARGV[4], 'died_us', whole(now_us))
redis.call('XACK', KEYS[1], ARGV[1], place)
redis.call('XDEL', KEYS[1], place)
redis.call('HSET', KEYS[2], ARGV[2], 'd' .. grave)
return 1
