-- flights/follow.lua: reads what a flight has told, and notes that somebody follows it.
--
-- KEYS[1]  fill         hash    owner, generation, expires_us, followed_us of the fill that stands; absent: none
-- KEYS[2]  flight       hash    token, expires_us, held_us, followed_us, count, ended, frames by number; absent: none
-- ARGV[1]  owner        string  whose flight it is
-- ARGV[2]  after        int     number of the first frame that is wanted
-- ARGV[3]  most_bytes   int     of frames in the answer, where it has more than one
-- ARGV[4]  most_frames  int     in the answer
-- ARGV[5]  now_us       int|""  virtual time for tests; "" reads the server's TIME
--
-- Returns  {held 0|1, ended 0|1, frames as strings…}
-- Writes   followed_us of the fill, where the owner holds it, and of the flight, where it goes on; their TTLs stay
-- Mirrors  domain.flights:portion
--
-- @include lib/now
-- @include lib/whole
-- @include lib/flight_frames
local now_us, after = now(ARGV[5]), tonumber(ARGV[2])
local fill = redis.call('HMGET', KEYS[1], 'owner', 'expires_us')
local stands = fill[1] == ARGV[1] and now_us < tonumber(fill[2])
local known = redis.call('HMGET', KEYS[2], 'expires_us', 'count', 'ended', 'held_us')
local lives = known[1] and now_us < tonumber(known[1])
local held = stands or (lives and now_us < tonumber(known[4]))
local news = {held and 1 or 0, 0}
if lives then
  local count = tonumber(known[2])
  local stop = math.min(count, after + tonumber(ARGV[4]))
  local taken = flight_frames(KEYS[2], after, stop, tonumber(ARGV[3]), news)
  if known[3] == '1' and after + taken >= count then
    news[2] = 1
  end
end

if stands then
  redis.call('HSET', KEYS[1], 'followed_us', whole(now_us))
end
if lives and held then
  redis.call('HSET', KEYS[2], 'followed_us', whole(now_us))
end
return news
