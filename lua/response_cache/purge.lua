-- response_cache/purge.lua: puts every reply and every fill of a scope out of reach.
--
-- KEYS[1]  generation  string  of the scope; absent: there is nothing to reach
-- KEYS[2]  counters    hash    stores, evictions, bytes of the scope
-- KEYS[3]  index       zset    keys of the scope's replies by expiry in µs
-- KEYS[4]  sizes       hash    their sizes in bytes, by key
-- ARGV[1]  books_ms    int     how long an unused generation is kept
-- ARGV[2]  now_us      int|""  virtual time for tests; "" reads the server's TIME
--
-- Returns  how many replies there were
-- Writes   generation with a TTL of books_ms; deletes index and sizes, sets bytes to 0
-- Mirrors  domain.response_cache:next_generation
--
-- @include lib/now
-- @include lib/whole
local now_us = now(ARGV[2])
local current = tonumber(redis.call('GET', KEYS[1]) or '0')
local count = redis.call('ZCOUNT', KEYS[3], '(' .. whole(now_us), '+inf')

redis.call('SET', KEYS[1], whole(math.max(current + 1, now_us)), 'PX', ARGV[1])
redis.call('UNLINK', KEYS[3], KEYS[4])
redis.call('HDEL', KEYS[2], 'bytes')
return count
