-- lib/charges_read: what an instance was charged in the last 60 s (and the started second before them): requests and
-- tokens; changes nothing. Mirrors domain.limits.sliding_window:SlidingWindow.used.
-- Stored: in `sum`, `newest requests tokens`: totals of the 61 seconds up to `newest`, which was charged last; and 64
-- places that seconds take turns in, `second requests tokens`. So a look costs only the seconds that have left the
-- window since. A sum from farther ahead than the window was left by a clock that has gone back: nothing counts then.
-- @include lib/charges_buckets
local function charges_read(key, now_us)
  local second = math.floor(now_us / 1000000)
  local stored = redis.call('HMGET', key, 'sum', second % 64)
  local charges = {second = second, requests = 0, tokens = 0, place = stored[2]}
  local newest, requests, tokens = string.match(stored[1] or '', '^(%d+) (%-?%d+) (%-?%d+)$')
  newest = tonumber(newest)
  if not newest or newest < second - 60 or newest > second + 60 then
    return charges
  end
  charges.newest, charges.requests, charges.tokens = newest, tonumber(requests), tonumber(tokens)
  for _, bucket in ipairs(charges_buckets(key, newest - 60, second - 61)) do
    charges.requests, charges.tokens = charges.requests - bucket[2], charges.tokens - bucket[3]
  end
  return charges
end
