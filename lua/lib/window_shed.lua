-- lib/window_shed: takes the seconds from `first` to `last` out of a circuit's window: calls, failures and slow calls that
-- were in them. A few hundred at a time, as a window may be long and one call takes only so many arguments.
-- @include lib/whole
local function window_shed(key, first, last)
  local calls, failures, slow_calls = 0, 0, 0
  for from = first, last, 500 do
    local seconds = {}
    for second = from, math.min(from + 499, last) do
      seconds[#seconds + 1] = whole(second)
    end
    for _, text in ipairs(redis.call('HMGET', key, unpack(seconds))) do
      local c, f, s = string.match(text or '', '^(%d+) (%d+) (%d+)$')
      calls, failures, slow_calls = calls + (c or 0), failures + (f or 0), slow_calls + (s or 0)
    end
    redis.call('HDEL', key, unpack(seconds))
  end
  return calls, failures, slow_calls
end
