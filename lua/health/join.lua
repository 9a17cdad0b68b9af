-- health/join.lua: counts an instance among those of a model, for a while.
--
-- KEYS[1]  members      zset     instance ids by expires_us; absent: none
-- ARGV[1]  instance_id  string   who joins
-- ARGV[2]  ttl_us       int      microseconds
-- ARGV[3]  now_us       int|""   virtual time for tests; "" reads server TIME
--
-- Returns  int  how many there are now
-- Writes   members: the expired leave, the instance stays for ttl_us or as long as before; TTL at least ttl_us and a minute
-- Mirrors  domain.health_report:join
-- @include lib/now
-- @include lib/whole
local members, instance_id, ttl_us, now_us = KEYS[1], ARGV[1], tonumber(ARGV[2]), now(ARGV[3])

local kept_ms = math.max(redis.call('PTTL', members), math.ceil(ttl_us / 1000) + 60000)

redis.call('ZADD', members, 'GT', whole(now_us + ttl_us), instance_id)
redis.call('ZREMRANGEBYSCORE', members, '-inf', whole(now_us))
redis.call('PEXPIRE', members, whole(kept_ms))
return redis.call('ZCARD', members)
