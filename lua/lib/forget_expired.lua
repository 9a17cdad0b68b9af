-- lib/forget_expired: takes the replies that have expired out of a scope's books, at most `limit` of them.
-- @include lib/forget_reply
-- @include lib/whole
local function forget_expired(index, sizes, counters, now_us, limit)
  local expired = redis.call('ZRANGEBYSCORE', index, '-inf', whole(now_us), 'LIMIT', 0, limit)
  for _, key in ipairs(expired) do
    forget_reply(index, sizes, counters, key)
  end
end
