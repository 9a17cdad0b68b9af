-- usage/read.lua: delivers records that were never delivered.
--
-- KEYS[1]  stream    stream  records on their way to the ledger; absent: none
-- ARGV[1]  group     string  the consumer group; made where it is missing, from the first record on
-- ARGV[2]  consumer  string  who reads
-- ARGV[3]  count     int     at most so many
--
-- Returns  {{id, record}, ...}, oldest first
-- Writes   stream: the group's list of what is pending, since the server's own time
-- Mirrors  domain.usage_stream:UsageQueue
local function read()
  return redis.pcall('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', ARGV[3], 'STREAMS', KEYS[1], '>')
end

local found = read()
if found and found.err and string.find(found.err, 'NOGROUP', 1, true) then
  redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
  found = read()
end
if found and found.err then
  return found
end

local entries = {}
for number, one in ipairs(found and found[1][2] or {}) do
  entries[number] = {one[2][2], one[2][4]}
end
return entries
