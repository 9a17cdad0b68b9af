-- response_cache/fill_extend.lua: lets a fill that holds hold on.
--
-- KEYS[1]  generation  string  of the scope; absent: no fill holds
-- KEYS[2]  fill        hash    owner, generation, expires_us of the fill that holds; absent: none
-- ARGV[1]  owner       string  of the fill
-- ARGV[2]  token       string  the generation in which it was acquired
-- ARGV[3]  ttl_us      int     how long it holds from now; 0 gives it back
-- ARGV[4]  now_us      int|""  virtual time for tests; "" reads the server's TIME
--
-- Returns  expires_us as a string, now_us where it was given back; "" where it holds no more
-- Writes   fill, with a TTL of ttl_us; deletes it where it is given back
-- Mirrors  domain.response_cache:holds
--
-- @include lib/now
-- @include lib/whole
-- @include lib/fill_held
local now_us, ttl_us = now(ARGV[4]), tonumber(ARGV[3])
if not fill_held(redis.call('GET', KEYS[1]), KEYS[2], ARGV[1], ARGV[2], now_us) then
  return ''
end

local expires_us = whole(now_us + ttl_us)
if ttl_us == 0 then
  redis.call('DEL', KEYS[2])
else
  redis.call('HSET', KEYS[2], 'expires_us', expires_us)
  redis.call('PEXPIRE', KEYS[2], whole(math.ceil(ttl_us / 1000)))
end
return expires_us
