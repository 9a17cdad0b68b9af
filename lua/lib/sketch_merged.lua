-- lib/sketch_merged: what a kind's six sketches counted in the running minute and the four before it: bucket, count,
-- bucket, count …. Mirrors domain.latency:LatencySketch.merge, over the minutes of SlidingSketch.percentiles.
local function sketch_merged(first, now_us)
  local oldest = math.floor(now_us / 60000000) - 4
  local counts, merged = {}, {}
  for place = first, first + 5 do
    local minute = redis.call('HGET', KEYS[place], 'minute')
    local stored = minute and tonumber(minute) >= oldest and redis.call('HGETALL', KEYS[place]) or {}
    for at = 1, #stored, 2 do
      local bucket = stored[at]
      if bucket ~= 'minute' then
        counts[bucket] = (counts[bucket] or 0) + tonumber(stored[at + 1])
      end
    end
  end
  for bucket, count in pairs(counts) do
    merged[#merged + 1] = bucket
    merged[#merged + 1] = count
  end
  return merged
end
