-- lib/window_charge: adds `amount` to the current bucket of a window and drops those that have left it.
-- @include lib/window_read
local function window_charge(key, bucket_us, span, amount, now_us)
  local current = math.floor(now_us / bucket_us)
  local used, oldest, charged_last, left = window_read(key, current, span)
  if not charged_last then
    redis.call('DEL', key)
  elseif #left > 0 then
    redis.call('HDEL', key, unpack(left))
  end
  redis.call('HINCRBY', key, whole(current), whole(amount))
  local newest = math.max(charged_last or current, current)
  redis.call('HSET', key, 'used', whole(used + amount), 'oldest', whole(math.min(oldest or current, current)), 'newest',
    whole(newest))
  if newest ~= charged_last then
    redis.call('PEXPIRE', key, whole(span * bucket_us / 1000 + 60000))
  end
end
