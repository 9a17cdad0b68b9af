-- usage/keep.lua: makes pending records young again, for the consumer that has them.
--
-- KEYS[1]    stream    stream  records on their way to the ledger; absent: none
-- KEYS[2]    index     hash    by record id: "q" and the id in stream, "d" and the id in dead, or "x": discarded
-- ARGV[1]    group     string  the consumer group; missing: nothing is pending
-- ARGV[2]    consumer  string  who has them
-- ARGV[3..]  ids       string  of the records
--
-- Returns  {id, ...}: those that are this consumer's
-- Writes   stream: the time of what is pending, the server's own
-- Mirrors  domain.usage_stream:UsageQueue
local held = {}
for number = 3, #ARGV do
  local known = redis.call('HGET', KEYS[2], ARGV[number])
  if known and string.sub(known, 1, 1) == 'q' then
    local place = string.sub(known, 2)
    local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], place, place, 1, ARGV[2])
    if not pending.err and #pending == 1 then
      redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, place, 'JUSTID')
      held[#held + 1] = ARGV[number]
    end
  end
end
return held
