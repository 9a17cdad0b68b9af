-- lib/window_read: the buckets of a window by their number, what they hold together, and the newest (nil: none).
-- A bucket counts while `current` is less than `span` buckets on. One from the near future (the clock has gone back)
-- counts as charged now; one from farther ahead says nothing.
local function window_read(key, current, span)
  local stored, buckets, used, newest = redis.call('HGETALL', key), {}, 0, nil
  for i = 1, #stored, 2 do
    local bucket, amount = tonumber(stored[i]), tonumber(stored[i + 1])
    if bucket > current - span and bucket <= current + span then
      bucket = math.min(bucket, current)
      buckets[bucket] = (buckets[bucket] or 0) + amount
      used = used + amount
      newest = math.max(bucket, newest or bucket)
    end
  end
  return buckets, used, newest
end
