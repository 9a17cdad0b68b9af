-- lib/window_note: notes one outcome of a closed circuit and answers calls, failures and slow calls of the window.
-- Seconds that have left it are dropped. Mirrors domain.resilience.outcome_window:add.
local function window_note(key, window_us, now_us, failed, slow)
  local second = math.floor(now_us / 1000000)
  local oldest = second + 1 - math.ceil(window_us / 1000000)
  local stored, calls, failures, slow_calls = redis.call('HGETALL', key), 1, failed, slow
  local own = {1, failed, slow}
  for place = 1, #stored, 2 do
    local at = tonumber(stored[place])
    local c, f, s = string.match(stored[place + 1], '^(%d+) (%d+) (%d+)$')
    if at < oldest then
      redis.call('HDEL', key, stored[place])
    else
      calls, failures, slow_calls = calls + c, failures + f, slow_calls + s
      if at == second then own = {c + 1, f + failed, s + slow} end
    end
  end
  redis.call('HSET', key, whole(second), string.format('%d %d %d', own[1], own[2], own[3]))
  redis.call('PEXPIRE', key, math.ceil(window_us / 1000) + 1000)
  return calls, failures, slow_calls
end
