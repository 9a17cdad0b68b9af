-- lib/charges_wait: how long until `amount` more of one kind (2 requests, 3 tokens) fits under `limit`, in microseconds;
-- "" where it never fits. Seconds are looked at from the oldest on, only as far as needed: mostly one or two.
-- Mirrors domain.limits.sliding_window:SlidingWindow.decide.
-- @include lib/charges_buckets
-- @include lib/whole
local function charges_wait(key, charges, kind, limit, amount, now_us)
  if amount > limit then
    return ''
  end
  local left, first, many = kind == 2 and charges.requests or charges.tokens, charges.second - 60, 4
  while charges.newest and first <= charges.newest do
    for _, bucket in ipairs(charges_buckets(key, first, math.min(first + many - 1, charges.newest))) do
      left = left - bucket[kind]
      if left + amount <= limit then
        return whole((bucket[1] + 61) * 1000000 - now_us)
      end
    end
    first, many = first + many, 16
  end
  return '0'
end
