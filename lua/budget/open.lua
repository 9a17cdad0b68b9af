-- budget/open.lua: which attempts are reserved and have no end yet, for whom rebuilds the account from the ledger.
--
-- KEYS[1]  state        hash  balances b|…, verified series s|…, attempts a|…; absent: an account never heard of
-- KEYS[2]  open         zset  open attempts by expires_us; absent: none
-- KEYS[3]  due          zset  the other fields of `state` by when they are dropped; absent: none
-- ARGV[1]  now_us       int|""  virtual time for tests; "" reads server TIME
--
-- Returns  {attempt, …}  the first 10,000 to expire, orphans included, in that order
-- Writes   nothing but that it drops what is overdue
-- Mirrors  domain.budget.account:AccountBudgets.open_attempts
-- @include lib/now
-- @include lib/whole
-- @include lib/budget_sweep

local now_us = now(ARGV[1])

budget_sweep(nil, now_us)
local counted_after = '(' .. whole(now_us - 86400000000)
return redis.call('ZRANGEBYSCORE', KEYS[2], counted_after, '+inf', 'LIMIT', 0, 10000)
