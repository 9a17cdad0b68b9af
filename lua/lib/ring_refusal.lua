-- lib/ring_refusal: nil where `amount` more fits under `limit`, else the wait in microseconds ("" where it never
-- fits). Mirrors domain.limits.sliding_window:SlidingWindow.decide.
local function ring_refusal(key, limit, amount, now_us)
  if limit == '' then
    return nil
  end
  local used, buckets = ring_used(key, now_us)
  limit = tonumber(limit)
  if used + amount <= limit then
    return nil
  end
  if amount > limit then
    return ''
  end
  for _, bucket in ipairs(buckets) do
    used = used - bucket[2]
    if used + amount <= limit then
      return whole((bucket[1] + 61) * 1000000 - now_us)
    end
  end
  return '0'
end
