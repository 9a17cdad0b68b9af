-- flights/tell.lua: appends frames to a flight whose fill holds, and lets the fill hold on.
--
-- KEYS[1]  generation  string  of the scope; absent: no fill holds
-- KEYS[2]  fill        hash    owner, generation, expires_us, followed_us of the fill that holds; absent: none
-- KEYS[3]  flight      hash    token, expires_us, count, ended, and the frames by number; absent: nothing was told
-- ARGV[1]  owner       string  of the fill
-- ARGV[2]  token       string  the generation in which it was acquired
-- ARGV[3]  ttl_us      int     how long it holds from now
-- ARGV[4]  first       int     number of the first frame
-- ARGV[5]  last        0|1     1: no frame comes after these
-- ARGV[6]  kept_us     int     how long a flight is kept at least
-- ARGV[7]  lately_us   int     how long it counts as followed after a question
-- ARGV[8]  now_us      int|""  virtual time for tests; "" reads the server's TIME
-- ARGV[9..]  frames    string  what is told
--
-- Returns  {count, followed 0|1}; {} where the fill does not hold
-- Writes   fill, with a TTL of ttl_us; flight, where there is one or something is told, with kept_us or ttl_us
-- Mirrors  domain.flights:unheard, domain.flights:kept_until, domain.flights:is_followed
--
-- @include lib/now
-- @include lib/whole
-- @include lib/fill_held
local flight, token, now_us = KEYS[3], ARGV[2], now(ARGV[8])
local ttl_us, first, told, frames_at = tonumber(ARGV[3]), tonumber(ARGV[4]), #ARGV - 8, 9
local known = redis.call('HMGET', flight, 'token', 'expires_us', 'count', 'ended')
local lives = known[1] and now_us < tonumber(known[2])
local held = fill_held(redis.call('GET', KEYS[1]), KEYS[2], ARGV[1], token, now_us)
if not held or (lives and known[1] ~= token) then
  return {}
end
local count, ended = 0, '0'
if lives then
  count, ended = tonumber(known[3]), known[4]
end
local fits = first <= count and ended == '0'
local followed_us = redis.call('HGET', KEYS[2], 'followed_us')
local followed = followed_us and now_us < tonumber(followed_us) + tonumber(ARGV[7])

redis.call('HSET', KEYS[2], 'expires_us', whole(now_us + ttl_us))
redis.call('PEXPIRE', KEYS[2], whole(math.ceil(ttl_us / 1000)))
-- What is there of a flight whose time was over stays unread, for it counts from 0, and ends with the key.
if fits then
  for number = count, first + told - 1 do
    redis.call('HSET', flight, whole(number), ARGV[frames_at + number - first])
  end
  count, ended = math.max(count, first + told), ARGV[5]
end
if lives or (fits and (told > 0 or ended == '1')) then
  local kept_us = math.max(ttl_us, tonumber(ARGV[6]))
  redis.call('HSET', flight, 'token', token, 'expires_us', whole(now_us + kept_us), 'count', whole(count), 'ended', ended)
  redis.call('PEXPIRE', flight, whole(math.ceil(kept_us / 1000)))
end
return {count, followed and 1 or 0}
