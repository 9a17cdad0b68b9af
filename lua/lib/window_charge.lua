-- lib/window_charge: adds `amount` to the current bucket of a window and drops those that have left it.
-- @include lib/whole
local function window_charge(key, bucket_us, span, amount, now_us)
  local current = math.floor(now_us / bucket_us)
  redis.call('HINCRBY', key, whole(current), whole(amount))
  if redis.call('HLEN', key) > span then
    for _, field in ipairs(redis.call('HKEYS', key)) do
      local bucket = tonumber(field)
      if bucket <= current - span or bucket > current + span then
        redis.call('HDEL', key, field)
      end
    end
  end
  redis.call('PEXPIRE', key, whole(span * bucket_us / 1000 + 60000))
end
