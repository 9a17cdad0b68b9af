-- lib/charges_add: charges one request and its tokens to the running second. `charges` is what charges_read found now.
-- What is out of the window as a whole goes first, so that no old bucket is taken for one that the sum holds.
-- Mirrors domain.limits.sliding_window:SlidingWindow.charge.
local function charges_add(key, charges, tokens)
  local second, place_requests, place_tokens = charges.second, 1, tokens
  local newest = math.max(charges.newest or second, second)
  if not charges.newest then
    redis.call('DEL', key)
  else
    local held, held_requests, held_tokens = string.match(charges.place or '', '^(%d+) (%-?%d+) (%-?%d+)$')
    if tonumber(held) == second then
      place_requests, place_tokens = held_requests + 1, held_tokens + tokens
    end
  end
  redis.call('HSET', key, 'sum', string.format('%.0f %.0f %.0f', newest, charges.requests + 1, charges.tokens + tokens),
    second % 64, string.format('%.0f %.0f %.0f', second, place_requests, place_tokens))
  if newest ~= charges.newest then
    redis.call('PEXPIRE', key, 62000)
  end
end
