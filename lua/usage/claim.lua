-- usage/claim.lua: delivers once more what nobody acknowledged for a while.
--
-- KEYS[1]  stream       stream  records on their way to the ledger; absent: none
-- ARGV[1]  group        string  the consumer group; missing: nothing is pending
-- ARGV[2]  consumer     string  who claims
-- ARGV[3]  min_idle_ms  int     not delivered and not kept for so long, by the server's own time
-- ARGV[4]  count        int     at most so many
--
-- Returns  {{id, record, deliveries}, ...}, oldest first
-- Writes   stream: the group's list of what is pending, its owner, time and deliveries
-- Mirrors  domain.usage_stream:UsageQueue
local stale = redis.pcall('XPENDING', KEYS[1], ARGV[1], 'IDLE', ARGV[3], '-', '+', ARGV[4])
if stale.err then
  return string.find(stale.err, 'NOGROUP', 1, true) and {} or stale
end
if #stale == 0 then
  return {}
end

local places, deliveries = {}, {}
for number, one in ipairs(stale) do
  places[number], deliveries[one[1]] = one[1], one[4] + 1
end
local entries = {}
for number, one in ipairs(redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], unpack(places))) do
  entries[number] = {one[2][2], one[2][4], deliveries[one[1]]}
end
return entries
