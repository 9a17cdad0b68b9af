-- lib/window_note: notes one outcome of a closed circuit and answers calls, failures and slow calls of the window.
-- Mirrors domain.resilience.outcome_window:add. Stored: each second's `calls failures slow` by its number, and in `sum`
-- `oldest newest calls failures slow` of all that is stored, so that only seconds that leave the window are looked at.
-- @include lib/window_shed
local function window_note(key, window_us, now_us, failed, slow)
  local second, span = math.floor(now_us / 1000000), math.ceil(window_us / 1000000)
  local stored = redis.call('HMGET', key, 'sum', whole(second))
  local oldest, newest, calls, failures, slow_calls = string.match(stored[1] or '', '^(%d+) (%d+) (%d+) (%d+) (%d+)$')
  oldest, newest = tonumber(oldest), tonumber(newest)
  if not newest or newest <= second - span or newest > second + span then
    redis.call('DEL', key)
    oldest, newest, calls, failures, slow_calls, stored[2] = second, 0, 0, 0, 0, nil
  elseif oldest <= second - span then
    local c, f, s = window_shed(key, oldest, second - span)
    oldest, calls, failures, slow_calls = second - span + 1, calls - c, failures - f, slow_calls - s
  end
  local c, f, s = string.match(stored[2] or '0 0 0', '^(%d+) (%d+) (%d+)$')
  calls, failures, slow_calls = calls + 1, failures + failed, slow_calls + slow
  redis.call('HSET', key, 'sum', string.format('%.0f %.0f %.0f %.0f %.0f', math.min(oldest, second),
    math.max(newest, second), calls, failures, slow_calls),
    whole(second), string.format('%.0f %.0f %.0f', c + 1, f + failed, s + slow))
  if newest < second then redis.call('PEXPIRE', key, math.ceil(window_us / 1000) + 1000) end
  return calls, failures, slow_calls
end
