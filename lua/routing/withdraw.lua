-- routing/withdraw.lua: undoes an admission whose attempt never ran: lease, permit, charges and turns are given back.
--
-- KEYS[1]    admitted   string  the answer given to this lease; absent: nothing was, or it ended already
-- KEYS[2..]  instances  mixed   those of the admission, in its order: three for each instance, then the round-robins
-- ARGV[1]    now_us          int|""  virtual time for tests; "" reads the server's TIME
-- ARGV[2]    lease_id        text    the lease to give back
-- ARGV[3]    tokens          int     what was charged to the instance's tokens per minute
-- ARGV[4]    instance_count  int     how many instances come in KEYS
-- ARGV[5..]  members         mixed   of each round-robin, in the order of its keys: how many, then name and weight of
--                                    each, as they were in the plan
--
-- Returns  1 where the admission was undone, 0 where the lease is not held (any more)
-- Writes   the answer and the lease (gone), the permit, charges, credits; what is gone already stays gone
-- Mirrors  domain.routing.withdrawal:withdraw
--
-- @include lib/now
-- @include lib/whole
-- @include lib/circuit_load
-- @include lib/probes_text
-- @include lib/permit_drop
-- @include lib/charges_settle
-- @include lib/turn_unpick
-- @include lib/turns_unpick
local held = redis.call('GET', KEYS[1])
if not held then
  return 0
end
local now_us, lease_id = now(ARGV[1]), ARGV[2]
local instance, probe, bucket_s = string.match(held, '^(%d+) %d+ (%d) (%d+)')
local first = 2 + 3 * (tonumber(instance) - 1)
redis.call('DEL', KEYS[1])
redis.call('ZREMRANGEBYSCORE', KEYS[first + 2], '-inf', whole(now_us))
if redis.call('ZREM', KEYS[first + 2], lease_id) == 0 then
  return 0
end
charges_settle(KEYS[first + 1], tonumber(bucket_s), -1, -tonumber(ARGV[3]))
if probe == '1' then
  permit_drop(KEYS[first], circuit_load(KEYS[first]), now_us, lease_id)
end
turns_unpick(held, 1 + 3 * tonumber(ARGV[4]), 5)
return 1
