-- response_cache/put.lua: stores a reply, if the fill it comes from still holds.
--
-- KEYS[1]  entry       hash    the reply; absent: none is stored
-- KEYS[2]  generation  string  of the scope; absent: it is made from the time
-- KEYS[3]  counters    hash    stores, evictions, bytes of the scope
-- KEYS[4]  index       zset    keys of the scope's replies by expiry in µs
-- KEYS[5]  sizes       hash    their sizes in bytes, by key
-- KEYS[6]  fill        hash    owner, generation, expires_us of the fill that stands; absent: none
-- KEYS[7]  flight      hash    token, held_us of what the owner of the fill told; absent: nothing was told
-- ARGV[1]  scope       string  stored with the reply
-- ARGV[2]  key         string  the reply's member in index and sizes
-- ARGV[3]  epoch       string  of all scopes, stored with the reply
-- ARGV[4]  meta        string  stored with the reply
-- ARGV[5]  body        string  the reply
-- ARGV[6]  size_bytes  int     what it counts for
-- ARGV[7]  ttl_us      int     how long it is valid
-- ARGV[8]  owner       string  of the fill; "": stored in any case
-- ARGV[9]  token       string  the generation in which the fill was acquired
-- ARGV[10] books_ms    int     how long unused books are kept
-- ARGV[11] now_us      int|""  virtual time for tests; "" reads the server's TIME
--
-- Returns  1 stored (now, or before by the same fill) or 0 the fill does not hold
-- Writes   entry with a TTL of ttl_us; generation, counters, index, sizes with books_ms; deletes fill; held_us of the flight
-- Mirrors  domain.response_cache:holds
--
-- @include lib/now
-- @include lib/whole
-- @include lib/fill_held
-- @include lib/flight_release
-- @include lib/forget_reply
-- @include lib/forget_expired
local entry, index, sizes, key, owner = KEYS[1], KEYS[4], KEYS[5], ARGV[2], ARGV[8]
local now_us = now(ARGV[11])
local generation = redis.call('GET', KEYS[2])

if owner ~= '' then
  if not fill_held(generation, KEYS[6], owner, ARGV[9], now_us) then
    local before = redis.call('HMGET', entry, 'owner', 'generation', 'expires_us')
    local stored = before[1] == owner and before[2] == ARGV[9] and ARGV[9] == generation
    return (stored and now_us < tonumber(before[3])) and 1 or 0
  end
end

generation = generation or whole(now_us)
local expires_us = whole(now_us + tonumber(ARGV[7]))
local ttl_ms = whole(math.ceil(tonumber(ARGV[7]) / 1000))
redis.call('SET', KEYS[2], generation, 'PX', ARGV[10])
if owner ~= '' then
  redis.call('DEL', KEYS[6])
  flight_release(KEYS[7], ARGV[9])
end
forget_reply(index, sizes, KEYS[3], key)
forget_expired(index, sizes, KEYS[3], now_us, 100)
redis.call('HSET', entry, 'generation', generation, 'expires_us', expires_us, 'scope', ARGV[1], 'epoch', ARGV[3],
  'owner', owner, 'meta', ARGV[4], 'body', ARGV[5])
redis.call('PEXPIRE', entry, ttl_ms)
redis.call('ZADD', index, expires_us, key)
redis.call('HSET', sizes, key, ARGV[6])
redis.call('HINCRBY', KEYS[3], 'stores', 1)
redis.call('HINCRBY', KEYS[3], 'bytes', ARGV[6])
for slot = 3, 5 do
  redis.call('PEXPIRE', KEYS[slot], ARGV[10])
end
return 1
