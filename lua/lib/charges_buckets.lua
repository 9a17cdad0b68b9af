-- lib/charges_buckets: what was charged in each second from `first` to `last`, 61 at most, oldest first: {second,
-- requests, tokens}; seconds without a charge are left out.
local function charges_buckets(key, first, last)
  local places, buckets = {}, {}
  for second = first, last do
    places[#places + 1] = second % 64
  end
  for offset, text in ipairs(#places > 0 and redis.call('HMGET', key, unpack(places)) or {}) do
    local second, requests, tokens = string.match(text or '', '^(%d+) (%-?%d+) (%-?%d+)$')
    if tonumber(second) == first + offset - 1 then
      buckets[#buckets + 1] = {first + offset - 1, tonumber(requests), tonumber(tokens)}
    end
  end
  return buckets
end
