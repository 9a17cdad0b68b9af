-- lock/release.lua: gives the lock back, if the one who asks holds it.
--
-- KEYS[1]  state    hash     owner, expires_us, ttl_us, fence; absent: never held
-- ARGV[1]  owner    string   token of whoever asks
-- ARGV[2]  now_us   int|""   virtual time for tests; "" reads server TIME
--
-- Returns  int  1 where the owner held it until now; 0 where it did not hold it (any more)
-- Writes   removes owner, expires_us and ttl_us from state, where the owner holds it; the fence and its TTL stay
-- Mirrors  domain.lock:release
-- @include lib/now
-- @include lib/lock_held
local key, owner, now_us = KEYS[1], ARGV[1], now(ARGV[2])

local state = redis.call('HMGET', key, 'owner', 'expires_us', 'ttl_us')
local is_held = lock_held(state, now_us)

if not is_held or state[1] ~= owner then
  return 0
end

redis.call('HDEL', key, 'owner', 'expires_us', 'ttl_us')
return 1
