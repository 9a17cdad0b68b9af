-- flights/follow.lua: reads what a flight has told, and notes that somebody follows it.
--
-- KEYS[1]  generation   string  of the scope; absent: no fill holds
-- KEYS[2]  fill         hash    owner, generation, expires_us, followed_us of the fill that holds; absent: none
-- KEYS[3]  flight       hash    token, expires_us, count, ended, and the frames by number; absent: nothing was told
-- ARGV[1]  owner        string  whose flight it is
-- ARGV[2]  after        int     number of the first frame that is wanted
-- ARGV[3]  most_bytes   int     of frames in the answer, where it has more than one
-- ARGV[4]  most_frames  int     in the answer
-- ARGV[5]  now_us       int|""  virtual time for tests; "" reads the server's TIME
--
-- Returns  {held 0|1, ended 0|1, frames as strings…}
-- Writes   followed_us of a fill that the owner holds; its TTL stays
-- Mirrors  domain.flights:portion
--
-- @include lib/now
-- @include lib/whole
-- @include lib/fill_held
-- @include lib/flight_frames
local now_us, after = now(ARGV[5]), tonumber(ARGV[2])
local generation = redis.call('GET', KEYS[1])
local held = fill_held(generation, KEYS[2], ARGV[1], generation, now_us)
local known = redis.call('HMGET', KEYS[3], 'expires_us', 'count', 'ended')
local news = {held and 1 or 0, 0}
if known[1] and now_us < tonumber(known[1]) then
  local count = tonumber(known[2])
  local stop = math.min(count, after + tonumber(ARGV[4]))
  local taken = flight_frames(KEYS[3], after, stop, tonumber(ARGV[3]), news)
  if known[3] == '1' and after + taken >= count then
    news[2] = 1
  end
end

if held then
  redis.call('HSET', KEYS[2], 'followed_us', whole(now_us))
end
return news
