-- lib/budget_forget: drops an attempt; one that is open still is no longer counted.
-- @include lib/budget_book
-- @include lib/budget_lines
local function budget_forget(attempt)
  local field = 'a|' .. attempt
  local lines = budget_lines(redis.call('HGET', KEYS[1], field))
  redis.call('HDEL', KEYS[1], field)
  redis.call('ZREM', KEYS[2], attempt)
  redis.call('ZREM', KEYS[3], field)
  if lines[1] == 'open' then
    budget_book(lines, 0)
  end
end
