-- lib/gcra_read: when a token bucket is full again; not before now. More than two minutes ahead says nothing: it was
-- written by a clock that has gone back since.
local function gcra_read(key, now_us)
  local tat_us = tonumber(redis.call('GET', key) or 0)
  if tat_us > now_us + 120000000 then
    return now_us
  end
  return math.max(now_us, tat_us)
end
