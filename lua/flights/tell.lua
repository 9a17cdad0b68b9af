-- flights/tell.lua: appends frames to a flight, and lets its fill hold on. A purge does not matter: it revokes the right
-- to store. Where another has got the fill since, the flight itself says until when it may be told.
--
-- KEYS[1]  fill        hash    owner, generation, expires_us, followed_us of the fill that stands; absent: none
-- KEYS[2]  flight      hash    token, expires_us, held_us, followed_us, count, ended, frames by number; absent: none
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
-- Returns  {count, followed 0|1}; {} where it may not be told
-- Writes   fill, where it stands, with a TTL of ttl_us; flight, where there is one or something is told, with kept_us or
--          ttl_us
-- Mirrors  domain.flights:unheard, domain.flights:kept_until, domain.flights:is_followed
--
-- @include lib/now
-- @include lib/whole
local flight, token, now_us = KEYS[2], ARGV[2], now(ARGV[8])
local ttl_us, first, told, frames_at = tonumber(ARGV[3]), tonumber(ARGV[4]), #ARGV - 8, 9
local fill = redis.call('HMGET', KEYS[1], 'owner', 'generation', 'expires_us', 'followed_us')
local known = redis.call('HMGET', flight, 'token', 'expires_us', 'count', 'ended', 'held_us', 'followed_us')
local lives = known[1] and now_us < tonumber(known[2])
local stands = fill[1] == ARGV[1] and fill[2] == token and now_us < tonumber(fill[3])
if (lives and known[1] ~= token) or not (stands or (lives and now_us < tonumber(known[5]))) then
  return {}
end
local count, ended = 0, '0'
if lives then
  count, ended = tonumber(known[3]), known[4]
end
local fits = first <= count and ended == '0'
local followed_us = tonumber(known[6])
if stands then
  followed_us = tonumber(fill[4])
  redis.call('HSET', KEYS[1], 'expires_us', whole(now_us + ttl_us))
  redis.call('PEXPIRE', KEYS[1], whole(math.ceil(ttl_us / 1000)))
end

-- What is there of a flight whose time was over stays unread, for it counts from 0, and ends with the key.
if fits then
  for number = count, first + told - 1 do
    redis.call('HSET', flight, whole(number), ARGV[frames_at + number - first])
  end
  count, ended = math.max(count, first + told), ARGV[5]
end
if lives or (fits and (told > 0 or ended == '1')) then
  local kept_us = math.max(ttl_us, tonumber(ARGV[6]))
  redis.call('HSET', flight, 'token', token, 'expires_us', whole(now_us + kept_us), 'count', whole(count), 'ended', ended,
    'held_us', whole(now_us + ttl_us), 'followed_us', followed_us and whole(followed_us) or '')
  redis.call('PEXPIRE', flight, whole(math.ceil(kept_us / 1000)))
end
return {count, (followed_us and now_us < followed_us + tonumber(ARGV[7])) and 1 or 0}
