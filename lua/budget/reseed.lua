-- budget/reseed.lua: lifts what is settled to the ledger's sum and verifies the budget; never adds, never lowers.
--
-- KEYS[1]  state        hash  balances b|…, verified series s|…, attempts a|…; absent: an account never heard of
-- KEYS[2]  open         zset  open attempts by expires_us; absent: none
-- KEYS[3]  due          zset  the other fields of `state` by when they are dropped; absent: none
-- ARGV[1]  now_us       int|""  virtual time for tests; "" reads server TIME
-- ARGV[2]  name         text  budget and period
-- ARGV[3]  series       text  budget, kind and zone
-- ARGV[4]  settled_nano int   nano-dollars, below 2^53
-- ARGV[5]  epoch        int   from 1
-- ARGV[6]  starts_us    int   when the period begins
-- ARGV[7]  ends_us      int   when it ends; 0: never
--
-- Returns  {settled, reserved, epoch}  strings, money in nano-dollars
-- Writes   state and due, with a TTL until the last of it is due; drops what is overdue
-- Mirrors  domain.budget.account:AccountBudgets.reseed
-- @include lib/now
-- @include lib/whole
-- @include lib/budget_nano
-- @include lib/budget_balance
-- @include lib/budget_keep
-- @include lib/budget_write
-- @include lib/budget_sweep

local now_us, name, series = now(ARGV[1]), ARGV[2], ARGV[3]
local settled_nano, epoch = budget_nano(ARGV[4]), tonumber(ARGV[5])

budget_sweep(nil, now_us)
local balance = budget_balance(name, series, tonumber(ARGV[6]), now_us)

balance.settled_nano = math.max(balance.settled_nano, settled_nano)
balance.epoch = math.max(balance.epoch, epoch)
if not balance.series or tonumber(balance.series[1]) < epoch then
  balance.series = { whole(epoch), whole(now_us) }
end

local fields, dues = {}, {}
budget_keep(fields, dues, name, series, tonumber(ARGV[7]), balance, now_us)
budget_write(fields, dues, now_us)
return { whole(balance.settled_nano), whole(balance.reserved_nano), whole(balance.epoch) }
