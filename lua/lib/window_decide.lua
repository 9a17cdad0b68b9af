-- lib/window_decide: whether `amount` more fits into a window of `span` buckets of `bucket_us` each; changes nothing.
-- Sliding: 61 of a second. Fixed: 1 of a minute.
-- Returns allowed, remaining, retry_after_us (-1: never), reset_after_us.
-- @include lib/window_read
local function window_decide(key, bucket_us, span, limit, amount, now_us)
  local current = math.floor(now_us / bucket_us)
  local used, oldest, newest = window_read(key, current, span)
  if used + amount <= limit then
    return true, limit - used - amount, 0, (current + span) * bucket_us - now_us
  end
  local remaining = math.max(0, limit - used)
  local reset_after_us = newest and (newest + span) * bucket_us - now_us or 0
  if amount > limit then
    return false, remaining, -1, reset_after_us
  end
  local bucket, left = oldest - 1, used
  while left + amount > limit and bucket < newest do
    for _, charged in ipairs(window_amounts(key, bucket + 1, math.min(bucket + 16, newest))) do
      if left + amount > limit then bucket, left = bucket + 1, left - charged end
    end
  end
  return false, remaining, (bucket + span) * bucket_us - now_us, reset_after_us
end
