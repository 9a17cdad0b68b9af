-- @include lib/whole
-- lib/budget_expire: lets all keys of the account go together, when the last of what they hold is due.
local function budget_expire(now_us)
  local last = redis.call('ZRANGE', KEYS[3], 0, 0, 'REV', 'WITHSCORES')
  local ttl_ms = math.ceil((tonumber(last[2]) - now_us) / 1000)
  for _, key in ipairs(KEYS) do
    redis.call('PEXPIRE', key, whole(ttl_ms))
  end
end
