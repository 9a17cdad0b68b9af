-- usage/acknowledge.lua: forgets records that are in the ledger, or that were discarded.
--
-- KEYS[1]    stream  stream  records on their way to the ledger; absent: none
-- KEYS[2]    index   hash    by record id: "q" and the id in stream, "d" and the id in dead, or "x": discarded
-- ARGV[1]    group   string  the consumer group; missing: nothing is pending
-- ARGV[2..]  ids     string  of the records
--
-- Returns  how many were here alive; dead letters are not counted and stay
-- Writes   stream and index lose the records: the only way by which the stream gets shorter, but for dead letters
-- Mirrors  domain.usage_stream:UsageQueue
local count = 0
for number = 2, #ARGV do
  local known = redis.call('HGET', KEYS[2], ARGV[number])
  if known and string.sub(known, 1, 1) == 'q' then
    local place = string.sub(known, 2)
    redis.call('XACK', KEYS[1], ARGV[1], place)
    redis.call('XDEL', KEYS[1], place)
    redis.call('HDEL', KEYS[2], ARGV[number])
    count = count + 1
  elseif known == 'x' then
    redis.call('HDEL', KEYS[2], ARGV[number])
  end
end
return count
