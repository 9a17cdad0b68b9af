-- lock/extend.lua: lets the owner hold the lock for longer.
--
-- KEYS[1]  state    hash     owner, expires_us, ttl_us, fence; absent: never held
-- ARGV[1]  owner    string   token of whoever asks
-- ARGV[2]  ttl_us   int      microseconds from now, above 0
-- ARGV[3]  now_us   int|""   virtual time for tests; "" reads server TIME
--
-- Returns  int  1 where the owner holds it until ttl_us from now; 0 where it does not hold it (any more)
-- Writes   state's expires_us and ttl_us, where the owner holds it; TTL one day, or ttl_us where that is longer
-- Mirrors  domain.lock:extend
-- @include lib/now
-- @include lib/whole
-- @include lib/lock_held
-- @include lib/lock_ttl_ms
local key, owner, ttl_us, now_us = KEYS[1], ARGV[1], tonumber(ARGV[2]), now(ARGV[3])

local state = redis.call('HMGET', key, 'owner', 'expires_us', 'ttl_us')
local is_held = lock_held(state, now_us)

if not is_held or state[1] ~= owner then
  return 0
end

redis.call('HSET', key, 'expires_us', whole(now_us + ttl_us), 'ttl_us', whole(ttl_us))
redis.call('PEXPIRE', key, lock_ttl_ms(ttl_us))
return 1
