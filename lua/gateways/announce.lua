-- gateways/announce.lua: counts a gateway among those that live, and says how many do.
--
-- KEYS[1]  gateways    zset    gateways by expires_us; absent: none has announced itself
-- ARGV[1]  gateway_id  text    who announces itself
-- ARGV[2]  live_us     int     how long it is counted from now
-- ARGV[3]  now_us      int|""  virtual time for tests; "" reads server TIME
--
-- Returns  count  int, at least 1
-- Writes   KEYS[1]: drops the expired, sets its own; TTL: a minute more than live_us
-- Mirrors  domain.gateways:announce
--
-- @include lib/now
-- @include lib/whole
local gateway_id, live_us = ARGV[1], tonumber(ARGV[2])
local now_us = now(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', whole(now_us))
redis.call('ZADD', KEYS[1], whole(now_us + live_us), gateway_id)
redis.call('PEXPIRE', KEYS[1], math.ceil(live_us / 1000) + 60000)
return redis.call('ZCARD', KEYS[1])
