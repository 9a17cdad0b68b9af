-- response_cache/stats.lua: what happened in a scope and what is there.
--
-- KEYS[1]  counters  hash    stores, evictions, bytes of the scope; absent: all 0
-- KEYS[2]  index     zset    keys of the scope's replies by expiry in µs
-- KEYS[3]  sizes     hash    their sizes in bytes, by key
-- KEYS[4]  uses      hash    hits:<model>, misses:<model>, bypasses:<model>; absent: none
-- ARGV[1]  now_us    int|""  virtual time for tests; "" reads the server's TIME
--
-- Returns  {stores, evictions, entries, bytes, uses: names and counts in turn}; with over 1,000 expired, bytes has some
-- Writes   index, sizes and counters lose what has expired; their TTLs stay
-- Mirrors  domain.response_cache:CacheStats
--
-- @include lib/now
-- @include lib/whole
-- @include lib/forget_expired
local now_us = now(ARGV[1])
local entries = redis.call('ZCOUNT', KEYS[2], '(' .. whole(now_us), '+inf')

forget_expired(KEYS[2], KEYS[3], KEYS[1], now_us, 1000)
local answer = {}
for number, count in ipairs(redis.call('HMGET', KEYS[1], 'stores', 'evictions', 'bytes')) do
  answer[number] = math.max(0, tonumber(count or '0'))
end
return {answer[1], answer[2], entries, answer[3], redis.call('HGETALL', KEYS[4])}
