-- response_cache/fill_acquire.lua: gives the right to fill a gap to one owner at a time.
--
-- KEYS[1]  entry       hash    the reply, which may have been stored since the miss; absent: none is
-- KEYS[2]  generation  string  of the scope; absent: it is made from the time
-- KEYS[3]  fill        hash    owner, generation, expires_us, followed_us of the fill that holds; absent: none
-- ARGV[1]  scope       string  must be the one that is stored with the reply
-- ARGV[2]  epoch       string  of all scopes; a reply of another one is none
-- ARGV[3]  owner       string  who asks
-- ARGV[4]  ttl_us      int     how long the right holds
-- ARGV[5]  books_ms    int     how long an unused generation is kept
-- ARGV[6]  now_us      int|""  virtual time for tests; "" reads the server's TIME
--
-- Returns  {"fill", token, expires_us} or {"held", retry_after_us, owner} or {"reply", epoch, meta, body}, all as strings
-- Writes   fill, where it is given, with a TTL of ttl_us; generation with books_ms
-- Mirrors  domain.response_cache:acquire
--
-- @include lib/now
-- @include lib/whole
-- @include lib/live_reply
local now_us = now(ARGV[6])
local generation = redis.call('GET', KEYS[2])
local reply = live_reply(KEYS[1], ARGV[1], generation, now_us)
if reply and reply[1] == ARGV[2] then
  return {'reply', reply[1], reply[2], reply[3]}
end
local current = redis.call('HMGET', KEYS[3], 'owner', 'generation', 'expires_us')
if current[1] and current[2] == generation and now_us < tonumber(current[3]) then
  if current[1] == ARGV[3] then
    return {'fill', generation, current[3]}
  end
  return {'held', whole(tonumber(current[3]) - now_us), current[1]}
end

generation = generation or whole(now_us)
local expires_us = whole(now_us + tonumber(ARGV[4]))
redis.call('SET', KEYS[2], generation, 'PX', ARGV[5])
redis.call('HDEL', KEYS[3], 'followed_us')
redis.call('HSET', KEYS[3], 'owner', ARGV[3], 'generation', generation, 'expires_us', expires_us)
redis.call('PEXPIRE', KEYS[3], whole(math.ceil(tonumber(ARGV[4]) / 1000)))
return {'fill', generation, expires_us}
