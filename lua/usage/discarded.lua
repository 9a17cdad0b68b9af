-- usage/discarded.lua: says which records were discarded as dead letters.
--
-- KEYS[1]    index  hash    by record id: "q" and the id in stream, "d" and the id in dead, or "x": discarded
-- ARGV[1..]  ids    string  of the records
--
-- Returns  {id, ...}: those that were, and were not acknowledged since
-- Writes   nothing
-- Mirrors  domain.usage_stream:UsageQueue
local gone = {}
for number = 1, #ARGV do
  if redis.call('HGET', KEYS[1], ARGV[number]) == 'x' then
    gone[#gone + 1] = ARGV[number]
  end
end
return gone
