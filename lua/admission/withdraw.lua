-- admission/withdraw.lua: takes an admission back whose answer was lost: its slots, its charges and its reservation.
--
-- KEYS[1]    state       hash              balances b|…, verified series s|…, attempts a|…; absent: never heard of
-- KEYS[2]    open        zset              open attempts by expires_us; absent: none
-- KEYS[3]    due         zset              the other fields of `state` by when they are dropped; absent: none
-- KEYS[4]    record      string            what the limits answered this request; absent: not admitted, or long ago
-- KEYS[5..]  limits      hash|string|zset  one for each limit, in the order of ARGV; absent: nothing is used
-- ARGV[1]    now_us      int|""            virtual time for tests; "" reads the server's TIME
-- ARGV[2]    request_id  text              under which slots are held
-- ARGV[3]    attempt     text              what the reservation goes by
-- ARGV[4]    count       int               how many limits; may be 0
-- ARGV[5..]  charged     text, int, int    for each limit: algorithm, limit, amount charged by the admission
--
-- Returns  1 where the admission had come to pass; 0 where it has not, or is not remembered
-- Writes   removes slots always; once, the other limits, the record and the budgets, whose TTL stands
-- Mirrors  domain.limits.admission:release
--
-- @include lib/now
-- @include lib/limits_given
-- @include lib/limits_end
-- @include lib/budget_resolve

local now_us = now(ARGV[1])
local limits = limits_given(5, 5, tonumber(ARGV[4]))

local has_ended = limits_end(KEYS[4], limits, ARGV[2], 0, now_us)
local lines = budget_resolve(ARGV[3], 'released', 0, now_us)
return (has_ended or #lines > 0) and 1 or 0
