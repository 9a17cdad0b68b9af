-- circuit_breaker/drain.lua: takes an instance out of every plan, or back in; what is in flight goes on.
--
-- KEYS[1]  circuit  hash  the instance's circuit, rest and drain; absent: closed and awake
-- ARGV[1]  drained  0|1   out of rotation
--
-- Returns  1
-- Writes   the drain (the hash has no TTL while it is forced or drained, else 7 d)
-- Mirrors  domain.routing.instance_state:InstanceState.drained
--
-- @include lib/circuit_load
-- @include lib/circuit_keep
local circuit = circuit_load(KEYS[1])
circuit.drained = tonumber(ARGV[1])
if circuit.drained == 1 then
  redis.call('HSET', KEYS[1], 'drained', 1)
else
  redis.call('HDEL', KEYS[1], 'drained')
end
circuit_keep(KEYS[1], circuit)
return 1
