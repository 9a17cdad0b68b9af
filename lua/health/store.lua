-- health/store.lua: keeps the report of a check, unless one as late is there.
--
-- KEYS[1]  report         hash     the arguments below and expires_us; absent: never checked, or too long ago
-- ARGV[1]  model          string   which the instance serves
-- ARGV[2]  checked_at_us  int      microseconds since the epoch, by the clock of who checked
-- ARGV[3]  reachable      int      1 or 0
-- ARGV[4]  latency_us     int|""   "": no answer came
-- ARGV[5]  status         int|""   "": no answer came
-- ARGV[6]  message        string   for people, short
-- ARGV[7]  ttl_us         int      microseconds
-- ARGV[8]  now_us         int|""   virtual time for tests; "" reads server TIME
--
-- Returns  int  1 where it is kept, 0 where one as late is there
-- Writes   report, where it is news; TTL ttl_us and a minute
-- Mirrors  domain.health_report:store
-- @include lib/now
-- @include lib/whole
local key, checked_at_us, ttl_us, now_us = KEYS[1], tonumber(ARGV[2]), tonumber(ARGV[7]), now(ARGV[8])

local stored = redis.call('HMGET', key, 'checked_at_us', 'expires_us')
local is_believed = stored[2] and tonumber(stored[2]) > now_us

if is_believed and tonumber(stored[1]) >= checked_at_us then
  return 0
end

redis.call('HSET', key, 'model', ARGV[1], 'checked_at_us', ARGV[2], 'reachable', ARGV[3], 'latency_us', ARGV[4],
  'status', ARGV[5], 'message', ARGV[6], 'expires_us', whole(now_us + ttl_us))
redis.call('PEXPIRE', key, whole(math.ceil(ttl_us / 1000) + 60000))
return 1
