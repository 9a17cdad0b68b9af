-- lib/gcra_write: sets when a token bucket is full again.
-- @include lib/whole
local function gcra_write(key, tat_us, now_us)
  redis.call('SET', key, whole(tat_us), 'PX', whole(math.ceil(math.max(0, tat_us - now_us) / 1000) + 60000))
end
