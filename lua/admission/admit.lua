-- admission/admit.lua: charges all limits of a caller, or none of them.
--
-- KEYS[1]    record      string            what this request was answered; absent: not admitted, or long ago
-- KEYS[2..]  limits      hash|string|zset  one for each limit, in the order of ARGV; absent: nothing is used
-- ARGV[1]    now_us      int|""            virtual time for tests; "" reads the server's TIME
-- ARGV[2]    request_id  text              under which slots are held
-- ARGV[3]    lease_us    int               how long a slot is held without being renewed
-- ARGV[4]    count       int               how many limits
-- ARGV[5..]  asked       text, int, int    for each limit: algorithm, limit, amount
--
-- Returns  {1, remaining, reset_after_us, …} for each limit in turn; or, of the refusal that waits longest,
--          {0, number of the limit from 1, remaining, retry_after_us (-1: waiting never helps), reset_after_us}
-- Writes   nothing when it refuses or repeats itself; else the limits (TTL: a minute longer than they matter) and the
--          record (61 s)
-- Mirrors  domain.limits.admission:admit
--
-- @include lib/now
-- @include lib/limits_given
-- @include lib/limits_decide
-- @include lib/limits_charge
-- @include lib/admission_recall
-- @include lib/admission_remember

local now_us = now(ARGV[1])
local record = admission_recall(KEYS[1], now_us)
if record then
  return { 1, unpack(record.answer) }
end
local limits = limits_given(2, 5, tonumber(ARGV[4]))
local answer, refusal = limits_decide(limits, now_us)
if refusal then
  return { 0, unpack(refusal) }
end

limits_charge(limits, ARGV[2], tonumber(ARGV[3]), now_us)
admission_remember(KEYS[1], answer, now_us)
return { 1, unpack(answer) }
