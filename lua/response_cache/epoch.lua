-- response_cache/epoch.lua: tells the generation of all scopes, makes or moves it, and enrols a scope.
--
-- KEYS[1]  epoch     string  the generation of all scopes; absent: no reply of any scope is valid
-- KEYS[2]  scopes    zset    scopes in use, by the time in µs until when they are remembered
-- ARGV[1]  moves     0|1     1: a purge of everything
-- ARGV[2]  scope     string  is in use; "": none
-- ARGV[3]  books_us  int     how long both are kept unused
-- ARGV[4]  now_us    int|""  virtual time for tests; "" reads the server's TIME
--
-- Returns  the epoch as a string
-- Writes   epoch and scopes with a TTL of books_us; scopes lose those that were not in use for so long
-- Mirrors  domain.response_cache:next_generation
--
-- @include lib/now
-- @include lib/whole
local now_us, books_us = now(ARGV[4]), tonumber(ARGV[3])
local books_ms = whole(math.ceil(books_us / 1000))
local epoch = redis.call('GET', KEYS[1])
if ARGV[1] == '1' or not epoch then
  epoch = whole(math.max(tonumber(epoch or '0') + 1, now_us))
end

redis.call('SET', KEYS[1], epoch, 'PX', books_ms)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', whole(now_us))
if ARGV[2] ~= '' then
  redis.call('ZADD', KEYS[2], whole(now_us + books_us), ARGV[2])
  redis.call('PEXPIRE', KEYS[2], books_ms)
end
return epoch
