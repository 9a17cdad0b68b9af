-- budget/reserve.lua: holds an amount in every budget that an attempt counts against, or in none.
--
-- KEYS[1]  state        hash  balances b|…, verified series s|…, attempts a|…; absent: an account never heard of
-- KEYS[2]  open         zset  open attempts by expires_us; absent: none
-- KEYS[3]  due          zset  the other fields of `state` by when they are dropped; absent: none
-- ARGV[1]  now_us       int|""  virtual time for tests; "" reads server TIME
-- ARGV[2]  attempt      text  request id and attempt
-- ARGV[3]  amount_nano  int   nano-dollars, below 2^53
-- ARGV[4]  epoch        int   what hard budgets must be verified at, or later
-- ARGV[5]  ttl_us       int   µs until the attempt is an orphan, at most a day
-- ARGV[6..]  charges    text  six for each: name, series, limit_nano, hard (1 or 0), starts_us, ends_us (0: never)
--
-- Returns  {"refused", number of the charge, settled, reserved} or {"unverified", numbers…} or, now or known already,
--          {"open"|"settled"|"released", amount, actual, expires_us, for each charge: name, limit, hard, verified,
--          settled, reserved}; all of it strings, money in nano-dollars
-- Writes   state, open and due where it holds, all with a TTL until the last of it is due; drops what is overdue
-- Mirrors  domain.budget.account:AccountBudgets.reserve
-- @include lib/now
-- @include lib/whole
-- @include lib/budget_nano
-- @include lib/budget_balance
-- @include lib/budget_keep
-- @include lib/budget_write
-- @include lib/budget_sweep

local now_us, attempt = now(ARGV[1]), ARGV[2]
local amount_nano = budget_nano(ARGV[3])
local epoch, expires_us = tonumber(ARGV[4]), now_us + tonumber(ARGV[5])

local known = budget_sweep(attempt, now_us)
if #known > 0 then
  return known
end
local balances = {}
for first = 6, #ARGV, 6 do
  balances[#balances + 1] = budget_balance(ARGV[first], ARGV[first + 1], tonumber(ARGV[first + 4]), now_us)
end

local answer = { 'unverified' }
for number, balance in ipairs(balances) do
  local first = 6 * number
  local limit_nano, hard = tonumber(ARGV[first + 2]), ARGV[first + 3] == '1'
  local taken_nano = balance.settled_nano + balance.reserved_nano + amount_nano
  if taken_nano > 9007199254740991 or (hard and taken_nano > limit_nano) then
    return { 'refused', whole(number), whole(balance.settled_nano), whole(balance.reserved_nano) }
  end
  if hard and balance.epoch < epoch then
    answer[#answer + 1] = whole(number)
  end
end
if #answer > 1 then
  return answer
end

answer = { 'open', whole(amount_nano), '0', whole(expires_us) }
local fields, dues = {}, {}
for number, balance in ipairs(balances) do
  local first = 6 * number
  local name, verified = ARGV[first], balance.epoch >= epoch and '1' or '0'
  balance.reserved_nano = balance.reserved_nano + amount_nano
  budget_keep(fields, dues, name, ARGV[first + 1], tonumber(ARGV[first + 5]), balance, now_us)
  for _, line in ipairs({ name, ARGV[first + 2], ARGV[first + 3], verified }) do
    answer[#answer + 1] = line
  end
  answer[#answer + 1] = whole(balance.settled_nano)
  answer[#answer + 1] = whole(balance.reserved_nano)
end
fields[#fields + 1], fields[#fields + 2] = 'a|' .. attempt, table.concat(answer, '\n')
redis.call('ZADD', KEYS[2], whole(expires_us), attempt)
budget_write(fields, dues, now_us)
return answer
