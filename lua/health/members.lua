-- health/members.lua: the instances of a model that were checked lately.
--
-- KEYS[1]  members  zset     instance ids by expires_us; absent: none
-- ARGV[1]  now_us   int|""   virtual time for tests; "" reads server TIME
--
-- Returns  {instance_id, …}  those not expired, the next to expire first
-- Writes   nothing
-- Mirrors  domain.health_report:members_now
-- @include lib/now
-- @include lib/whole
local members, now_us = KEYS[1], now(ARGV[1])

return redis.call('ZRANGEBYSCORE', members, '(' .. whole(now_us), '+inf')
