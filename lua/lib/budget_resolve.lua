-- lib/budget_resolve: ends a reservation, once; who asks again within two minutes hears the same. {}: not known.
-- @include lib/budget_book
-- @include lib/budget_sweep
-- @include lib/whole
local function budget_resolve(attempt, outcome, actual_nano, now_us)
  local lines = budget_sweep(attempt, now_us)
  if lines[1] ~= 'open' then
    return lines
  end
  local kept_until = whole(now_us + 120000000)
  local field = 'a|' .. attempt
  budget_book(lines, actual_nano)
  lines[1], lines[3], lines[4] = outcome, whole(actual_nano), kept_until
  redis.call('HSET', KEYS[1], field, table.concat(lines, '\n'))
  redis.call('ZREM', KEYS[2], attempt)
  redis.call('ZADD', KEYS[3], kept_until, field)
  return lines
end
