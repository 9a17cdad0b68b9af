-- lib/gcra_write: sets when a token bucket is full again. The key outlives that by a minute.
-- @include lib/whole
local function gcra_write(key, limit, tat_us, fractions, now_us)
  local text = whole(tat_us) .. ' ' .. whole(fractions) .. ' ' .. whole(limit)
  redis.call('SET', key, text, 'PX', whole(math.ceil(math.max(0, tat_us - now_us) / 1000) + 60000))
end
