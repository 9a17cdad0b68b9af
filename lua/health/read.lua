-- health/read.lua: the report of an instance's last check, where it can still be believed.
--
-- KEYS[1]  report  hash     model, checked_at_us, reachable, latency_us, status, message, expires_us; absent: none
-- ARGV[1]  now_us  int|""   virtual time for tests; "" reads server TIME
--
-- Returns  {model, checked_at_us, reachable, latency_us, status, message}|nil  strings as they were stored
-- Writes   nothing
-- Mirrors  domain.health_report:read
-- @include lib/now
local key, now_us = KEYS[1], now(ARGV[1])

local expires_us = redis.call('HGET', key, 'expires_us')
if not expires_us or tonumber(expires_us) <= now_us then
  return nil
end
return redis.call('HMGET', key, 'model', 'checked_at_us', 'reachable', 'latency_us', 'status', 'message')
