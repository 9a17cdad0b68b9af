-- admission/enter.lua: charges all limits of a caller and holds an amount in all of its budgets, or changes nothing.
--
-- KEYS[1]    state       hash              balances b|…, verified series s|…, attempts a|…; absent: never heard of
-- KEYS[2]    open        zset              open attempts by expires_us; absent: none
-- KEYS[3]    due         zset              the other fields of `state` by when they are dropped; absent: none
-- KEYS[4]    record      string            what the limits answered this request; absent: not admitted, or long ago
-- KEYS[5..]  limits      hash|string|zset  one for each limit, in the order of ARGV; absent: nothing is used
-- ARGV[1]    now_us      int|""            virtual time for tests; "" reads the server's TIME
-- ARGV[2]    request_id  text              under which slots are held
-- ARGV[3]    lease_us    int               how long a slot is held without being renewed
-- ARGV[4]    count       int               how many limits; may be 0
-- ARGV[5..]  asked       text, int, int    for each limit: algorithm, limit, amount. Then the reservation as in
--                                          budget/reserve: attempt, amount_nano, epoch, ttl_us, six for each charge
--
-- Returns  {1, {remaining, reset_after_us, …}, {what budget/reserve returns of an attempt that is known or held}}; or
--          {0, …} as admission/admit refuses; or {2, {what budget/reserve refuses with}}
-- Writes   nothing when it refuses or repeats itself, but that it drops what is overdue of the budgets; else what
--          admission/admit and budget/reserve write. No record where there are no limits: the attempt is one.
-- Mirrors  domain.limits.admission:admit
--
-- @include lib/now
-- @include lib/limits_given
-- @include lib/limits_decide
-- @include lib/limits_charge
-- @include lib/admission_recall
-- @include lib/admission_remember
-- @include lib/budget_asked
-- @include lib/budget_sweep
-- @include lib/budget_decide
-- @include lib/budget_hold

local now_us, count = now(ARGV[1]), tonumber(ARGV[4])
local limits, asked = limits_given(5, 5, count), budget_asked(5 + 3 * count, now_us)

local record = count > 0 and admission_recall(KEYS[4], now_us)
local answer, refusal
if record then
  answer = record.answer
else
  answer, refusal = limits_decide(limits, now_us)
end
if refusal then
  return { 0, unpack(refusal) }
end
local lines, balances = budget_sweep(asked.attempt, now_us)
if #lines == 0 then
  balances, refusal = budget_decide(asked, now_us)
end
if refusal then
  return { 2, refusal }
end

if balances then
  lines = budget_hold(asked, balances, now_us)
end
if count > 0 and not record then
  limits_charge(limits, ARGV[2], tonumber(ARGV[3]), now_us)
  admission_remember(KEYS[4], answer, now_us)
end
return { 1, answer, lines }
