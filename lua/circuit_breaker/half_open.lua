-- circuit_breaker/half_open.lua: an open circuit half-opens because a health check passed; any other stays as it is.
--
-- KEYS[1]  circuit  hash    the instance's circuit, rest and drain; absent: closed and awake
-- KEYS[2]  window   hash    outcomes by second; absent: none
-- ARGV[1]  now_us   int|""  virtual time for tests; "" reads the server's TIME
--
-- Returns  {before, after, reason} of the circuit; {} where it did not move
-- Writes   the circuit where it moves (no TTL while it is drained, else 7 d); the window goes with the move
-- Mirrors  domain.resilience.circuit_control:half_open
--
-- @include lib/now
-- @include lib/whole
-- @include lib/circuit_load
-- @include lib/circuit_move
-- @include lib/circuit_keep
local now_us = now(ARGV[1])
local circuit = circuit_load(KEYS[1])
if circuit.state ~= 'open' or circuit.forced ~= '' then
  return {}
end
circuit_move(KEYS[1], KEYS[2], circuit.generation, 'half_open', 'health_check')
redis.call('HSET', KEYS[1], 'open_until_us', whole(math.min(circuit.open_until_us, now_us)))
circuit_keep(KEYS[1], circuit)
return {circuit.state, 'half_open', 'health_check'}
