-- response_cache/fill_abandon.lua: gives a fill that holds back without a reply.
--
-- KEYS[1]  generation  string  of the scope; absent: no fill holds
-- KEYS[2]  fill        hash    owner, generation, expires_us of the fill that holds; absent: none
-- ARGV[1]  owner       string  of the fill
-- ARGV[2]  token       string  the generation in which it was acquired
-- ARGV[3]  now_us      int|""  virtual time for tests; "" reads the server's TIME
--
-- Returns  1 it was given back or 0 it held no more
-- Writes   deletes fill
-- Mirrors  domain.response_cache:holds
--
-- @include lib/now
-- @include lib/fill_held
if not fill_held(redis.call('GET', KEYS[1]), KEYS[2], ARGV[1], ARGV[2], now(ARGV[3])) then
  return 0
end
return redis.call('DEL', KEYS[2])
