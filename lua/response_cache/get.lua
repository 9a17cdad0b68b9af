-- response_cache/get.lua: finds a reply, and notes where the server evicted it.
--
-- KEYS[1]  entry       hash    the reply; absent: none is stored
-- KEYS[2]  generation  string  of the scope, moved by a purge; absent: nothing is valid
-- KEYS[3]  counters    hash    stores, evictions, bytes of the scope; absent: all 0
-- KEYS[4]  index       zset    keys of the scope's replies by expiry in µs
-- KEYS[5]  sizes       hash    their sizes in bytes, by key
-- ARGV[1]  scope       string  must be the one that is stored with the reply
-- ARGV[2]  key         string  the reply's member in index and sizes
-- ARGV[3]  books_ms    int     how long unused books are kept
-- ARGV[4]  now_us      int|""  virtual time for tests; "" reads the server's TIME
--
-- Returns  {epoch, meta, body} as strings; {} where there is no reply
-- Writes   where the server evicted the reply, counters with a TTL of books_ms; index and sizes lose it
-- Mirrors  domain.response_cache:is_valid
--
-- @include lib/now
-- @include lib/live_reply
-- @include lib/forget_reply
local now_us = now(ARGV[4])
local reply = live_reply(KEYS[1], ARGV[1], redis.call('GET', KEYS[2]), now_us)
if reply then
  return reply
end

local score = redis.call('ZSCORE', KEYS[4], ARGV[2])
local evicted = score and tonumber(score) > now_us and redis.call('EXISTS', KEYS[1]) == 0
if evicted and forget_reply(KEYS[4], KEYS[5], KEYS[3], ARGV[2]) then
  redis.call('HINCRBY', KEYS[3], 'evictions', 1)
  redis.call('PEXPIRE', KEYS[3], ARGV[3])
end
return {}
