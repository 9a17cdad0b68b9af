-- @include lib/whole
-- lib/budget_keep: writes a balance, and when it and its series are due: a week after its end or,
-- where that is later, its last use.
local function budget_keep(name, series, ends_us, balance, now_us)
  local expires_us = whole(math.max(now_us, ends_us) + 604800000000)
  local lines = { whole(balance.settled_nano), whole(balance.reserved_nano), whole(balance.epoch) }
  redis.call('HSET', KEYS[1], 'b|' .. name, table.concat(lines, '\n'))
  redis.call('ZADD', KEYS[3], expires_us, 'b|' .. name)
  if balance.series then
    local checked = { balance.series[1], balance.series[2], expires_us }
    redis.call('HSET', KEYS[1], 's|' .. series, table.concat(checked, '\n'))
    redis.call('ZADD', KEYS[3], expires_us, 's|' .. series)
  end
end
