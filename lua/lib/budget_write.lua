-- lib/budget_write: writes what was noted, and lets all keys of the account go when the last of what they hold is due.
-- @include lib/whole
local function budget_write(fields, dues, now_us)
  redis.call('HSET', KEYS[1], unpack(fields))
  redis.call('ZADD', KEYS[3], unpack(dues))
  local last = redis.call('ZRANGE', KEYS[3], 0, 0, 'REV', 'WITHSCORES')
  local ttl_ms = math.ceil((tonumber(last[2]) - now_us) / 1000)
  for number = 1, 3 do
    redis.call('PEXPIRE', KEYS[number], whole(ttl_ms))
  end
end
