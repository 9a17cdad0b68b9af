-- budget/inspect.lua: how budgets stand, and which attempts have outlived their time unresolved.
--
-- KEYS[1]  state        hash  balances b|…, verified series s|…, attempts a|…; absent: an account never heard of
-- KEYS[2]  open         zset  open attempts by expires_us; absent: none
-- KEYS[3]  due          zset  the other fields of `state` by when they are dropped; absent: none
-- ARGV[1]  now_us       int|""  virtual time for tests; "" reads server TIME
-- ARGV[2..]  budgets    text  three for each: name, series, starts_us
--
-- Returns  {{settled, reserved, epoch, for each budget}, {attempt, amount, expires_us, for the first 100 orphans}};
--          all of it strings, money in nano-dollars
-- Writes   nothing but that it drops what is overdue
-- Mirrors  domain.budget.account:AccountBudgets.inspect
-- @include lib/now
-- @include lib/whole
-- @include lib/budget_lines
-- @include lib/budget_balance
-- @include lib/budget_sweep

local now_us = now(ARGV[1])

budget_sweep(nil, now_us)
local balances, orphans = {}, {}
for first = 2, #ARGV, 3 do
  local balance = budget_balance(ARGV[first], ARGV[first + 1], tonumber(ARGV[first + 2]), now_us)
  balances[#balances + 1] = whole(balance.settled_nano)
  balances[#balances + 1] = whole(balance.reserved_nano)
  balances[#balances + 1] = whole(balance.epoch)
end
for _, attempt in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], 0, whole(now_us), 'LIMIT', 0, 100)) do
  local lines = budget_lines(redis.call('HGET', KEYS[1], 'a|' .. attempt))
  orphans[#orphans + 1] = attempt
  orphans[#orphans + 1] = lines[2]
  orphans[#orphans + 1] = lines[4]
end
return { balances, orphans }
