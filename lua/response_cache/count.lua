-- response_cache/count.lua: adds to what is counted of a scope's uses, by model.
--
-- KEYS[1]  uses         hash    hits:<model>, misses:<model>, bypasses:<model>; absent: none
-- ARGV[1]  most_models  int     how many are counted by name
-- ARGV[2]  other        string  the name for all further ones
-- ARGV[3]  books_ms     int     how long unused books are kept
-- ARGV[4..]  counts     mixed   four for each model: name, hits, misses, bypasses
--
-- Returns  how many models are counted by now
-- Writes   uses, with a TTL of books_ms
-- Mirrors  domain.response_cache:counted_as
--
for place = 4, #ARGV, 4 do
  local model = ARGV[place]
  local known = redis.call('HEXISTS', KEYS[1], 'hits:' .. model) == 1
  if not known and redis.call('HLEN', KEYS[1]) / 3 >= tonumber(ARGV[1]) then
    model = ARGV[2]
  end
  redis.call('HINCRBY', KEYS[1], 'hits:' .. model, ARGV[place + 1])
  redis.call('HINCRBY', KEYS[1], 'misses:' .. model, ARGV[place + 2])
  redis.call('HINCRBY', KEYS[1], 'bypasses:' .. model, ARGV[place + 3])
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return redis.call('HLEN', KEYS[1]) / 3
