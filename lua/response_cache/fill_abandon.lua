-- response_cache/fill_abandon.lua: gives a fill back without a reply.
--
-- KEYS[1]  generation  string  of the scope; absent: no fill holds
-- KEYS[2]  fill        hash    owner, generation, expires_us of the fill that stands; absent: none
-- KEYS[3]  flight      hash    token, held_us of what its owner told; absent: nothing was told
-- ARGV[1]  owner       string  of the fill
-- ARGV[2]  token       string  the generation in which it was acquired
-- ARGV[3]  now_us      int|""  virtual time for tests; "" reads the server's TIME
--
-- Returns  1 it was given back or 0 it held no more
-- Writes   deletes fill, where it is this one, revoked or not; held_us of the flight
-- Mirrors  domain.response_cache:holds
--
-- @include lib/now
-- @include lib/fill_held
-- @include lib/flight_release
local held = fill_held(redis.call('GET', KEYS[1]), KEYS[2], ARGV[1], ARGV[2], now(ARGV[3]))
local standing = redis.call('HMGET', KEYS[2], 'owner', 'generation')
if standing[1] == ARGV[1] and standing[2] == ARGV[2] then
  redis.call('DEL', KEYS[2])
end
flight_release(KEYS[3], ARGV[2])
return held and 1 or 0
