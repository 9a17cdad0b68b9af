-- admission/settle.lua: ends an admitted request: frees its slots and corrects, once, what it charged.
--
-- KEYS[1]    record      string            what this request was answered; absent: not admitted, or long ago
-- KEYS[2..]  limits      hash|string|zset  one for each limit to correct or to free, in the order of ARGV
-- ARGV[1]    now_us      int|""            virtual time for tests; "" reads the server's TIME
-- ARGV[2]    request_id  text              under which slots are held
-- ARGV[3]    actual      int               what each of these limits should have been charged; 0 gives all of it back
-- ARGV[4]    count       int               how many limits
-- ARGV[5..]  charged     text, int, int    for each limit: algorithm, limit, amount charged by the admission
--
-- Returns  1 where it has ended now; 0 where it had before, or is not remembered
-- Writes   removes slots always; the other limits (TTL as after the admission) and the record (TTL kept) once
-- Mirrors  domain.limits.admission:settle
--
-- @include lib/now
-- @include lib/limits_given
-- @include lib/limits_end

local now_us = now(ARGV[1])
local limits = limits_given(2, 5, tonumber(ARGV[4]))
return limits_end(KEYS[1], limits, ARGV[2], tonumber(ARGV[3]), now_us) and 1 or 0
