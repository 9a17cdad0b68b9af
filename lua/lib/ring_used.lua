-- lib/ring_used: the sum of the last 60 s (and the started second before them) in a ring of one-second buckets.
-- Second also: the buckets as {second, amount}, oldest first. Mirrors domain.limits.sliding_window:SlidingWindow.
local function ring_used(key, now_us)
  local oldest = math.floor(now_us / 1000000) - 60
  local used, buckets = 0, {}
  local stored = redis.call('HVALS', key)
  for _, text in ipairs(stored) do
    local second, amount = string.match(text, '^(%d+) (%-?%d+)$')
    second, amount = tonumber(second), tonumber(amount)
    if second >= oldest then
      used = used + amount
      buckets[#buckets + 1] = {second, amount}
    end
  end
  table.sort(buckets, function(one, other) return one[1] < other[1] end)
  return used, buckets
end
