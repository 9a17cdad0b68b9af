-- budget/reserve.lua: holds an amount in every budget that an attempt counts against, or in none.
--
-- KEYS[1]  state        hash  balances b|…, verified series s|…, attempts a|…; absent: an account never heard of
-- KEYS[2]  open         zset  open attempts by expires_us; absent: none
-- KEYS[3]  due          zset  the other fields of `state` by when they are dropped; absent: none
-- ARGV[1]  now_us       int|""  virtual time for tests; "" reads server TIME
-- ARGV[2..]  asked      text  attempt: request id and number; amount_nano, below 2^53; epoch: what hard budgets must be
--                             verified at, or later; ttl_us until the attempt is an orphan, at most a day; then six for
--                             each charge: name, series, limit_nano, hard (1 or 0), starts_us, ends_us (0: never)
--
-- Returns  {"refused", number of the charge, settled, reserved} or {"unverified", numbers…} or, now or known already,
--          {"open"|"settled"|"released", amount, actual, expires_us, for each charge: name, limit, hard, verified,
--          settled, reserved}; all of it strings, money in nano-dollars
-- Writes   state, open and due where it holds, all with a TTL until the last of it is due; drops what is overdue
-- Mirrors  domain.budget.account:AccountBudgets.reserve
-- @include lib/now
-- @include lib/budget_asked
-- @include lib/budget_sweep
-- @include lib/budget_decide
-- @include lib/budget_hold

local now_us = now(ARGV[1])
local asked = budget_asked(2, now_us)

local known = budget_sweep(asked.attempt, now_us)
if #known > 0 then
  return known
end
local balances, refusal = budget_decide(asked, now_us)
return refusal or budget_hold(asked, balances, now_us)
