-- usage/list_dead.lua: a page of a shard's dead letters.
--
-- KEYS[1]  dead   stream  dead letters; absent: none
-- ARGV[1]  since  string  id in dead to begin at, after it with "(", "-" for the first
-- ARGV[2]  limit  int     at most so many
--
-- Returns  {{place, id, record, deliveries, error, died_us}, ...} as strings, oldest first
-- Writes   nothing
-- Mirrors  domain.usage_stream:DeadLetter
local letters = {}
for number, one in ipairs(redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])) do
  local fields = one[2]
  letters[number] = {one[1], fields[2], fields[4], fields[6], fields[8], fields[10]}
end
return letters
