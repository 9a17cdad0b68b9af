-- lock/acquire.lua: gives the lock to an owner, unless another one holds it.
--
-- KEYS[1]  state    hash     owner, expires_us, ttl_us, fence; absent: never held
-- ARGV[1]  owner    string   token of whoever asks
-- ARGV[2]  ttl_us   int      microseconds, above 0
-- ARGV[3]  now_us   int|""   virtual time for tests; "" reads server TIME
--
-- Returns  string|nil  the fence; nil where another owner holds it
-- Writes   state, unless another owner holds it; TTL one day, or ttl_us where that is longer
-- Mirrors  domain.lock:acquire
-- @include lib/now
-- @include lib/whole
-- @include lib/lock_held
-- @include lib/lock_ttl_ms
local key, owner, ttl_us, now_us = KEYS[1], ARGV[1], tonumber(ARGV[2]), now(ARGV[3])

local state = redis.call('HMGET', key, 'owner', 'expires_us', 'ttl_us', 'fence')
local is_held = lock_held(state, now_us)
local fence = tonumber(state[4] or '0')

if is_held and state[1] ~= owner then
  return nil
end
if not is_held then
  fence = math.max(fence + 1, now_us)
end

redis.call(
  'HSET', key, 'owner', owner, 'expires_us', whole(now_us + ttl_us), 'ttl_us', whole(ttl_us), 'fence', whole(fence)
)
redis.call('PEXPIRE', key, lock_ttl_ms(ttl_us))
return whole(fence)
