-- lib/window_charge: adds `amount` to the current bucket of a window and drops those that have left it.
-- @include lib/window_read
local function window_charge(key, bucket_us, span, amount, now_us)
  local current = math.floor(now_us / bucket_us)
  local used, oldest, newest, stored_oldest = window_read(key, current, span)
  if not newest then
    redis.call('DEL', key)
    oldest, newest, stored_oldest = current, current, current
  end
  for bucket = stored_oldest, oldest - 1 do
    redis.call('HDEL', key, whole(bucket))
  end
  redis.call('HINCRBY', key, whole(current), whole(amount))
  oldest, newest = math.min(oldest, current), math.max(newest, current)
  redis.call('HSET', key, 'used', whole(used + amount), 'oldest', whole(oldest), 'newest', whole(newest))
  redis.call('PEXPIRE', key, whole(span * bucket_us / 1000 + 60000))
end
