-- lib/forget_reply: takes one reply out of a scope's books (index, sizes, bytes); whether it was in them.
local function forget_reply(index, sizes, counters, key)
  local size_bytes = redis.call('HGET', sizes, key)
  if not size_bytes then
    return false
  end
  redis.call('ZREM', index, key)
  redis.call('HDEL', sizes, key)
  redis.call('HINCRBY', counters, 'bytes', '-' .. size_bytes)
  return true
end
