-- lib/charges_settle: corrects what was charged in `second`; a bucket that has left the window, or made room for a newer
-- one, stays as it was. The sum holds the 61 seconds up to its own. Mirrors
-- domain.limits.sliding_window:SlidingWindow.settle.
local function charges_settle(key, second, requests, tokens)
  local stored = redis.call('HMGET', key, 'sum', second % 64)
  local newest, all_requests, all_tokens = string.match(stored[1] or '', '^(%d+) (%-?%d+) (%-?%d+)$')
  local held, own_requests, own_tokens = string.match(stored[2] or '', '^(%d+) (%-?%d+) (%-?%d+)$')
  if not newest or tonumber(held) ~= second or second < newest - 60 then
    return
  end
  redis.call('HSET', key, 'sum', string.format('%s %.0f %.0f', newest, all_requests + requests, all_tokens + tokens),
    second % 64, string.format('%s %.0f %.0f', held, own_requests + requests, own_tokens + tokens))
end
