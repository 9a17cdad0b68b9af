-- budget/release.lua: gives back what an attempt held, because nothing was sent, once.
--
-- KEYS[1]  state        hash  balances b|…, verified series s|…, attempts a|…; absent: an account never heard of
-- KEYS[2]  open         zset  open attempts by expires_us; absent: none
-- KEYS[3]  due          zset  the other fields of `state` by when they are dropped; absent: none
-- ARGV[1]  now_us       int|""  virtual time for tests; "" reads server TIME
-- ARGV[2]  attempt      text  request id and attempt
--
-- Returns  {} where no such reservation is known, else {"settled"|"released", amount, actual, expires_us, for each
--          charge: name, limit, hard, verified, settled, reserved}; all of it strings, money in nano-dollars
-- Writes   state, open and due, whose TTL stands; drops what is overdue
-- Mirrors  domain.budget.account:AccountBudgets.release
-- @include lib/now
-- @include lib/budget_resolve

return budget_resolve(ARGV[2], 'released', 0, now(ARGV[1]))
