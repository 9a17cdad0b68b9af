-- circuit_breaker/force.lua: the circuit as an operator wants it: open or closed, or automatic again.
--
-- KEYS[1]  circuit  hash    the instance's circuit, rest and drain; absent: closed and awake
-- KEYS[2]  window   hash    outcomes by second; absent: none
-- ARGV[1]  now_us   int|""  virtual time for tests; "" reads the server's TIME
-- ARGV[2]  wish     text    open | closed; "" lets outcomes decide again
--
-- Returns  {before, after, reason} of the circuit; {} where it did not move
-- Writes   the circuit (no TTL while it is forced or drained, else 7 d); the window goes with a move and a close
-- Mirrors  domain.resilience.circuit_control:force
--
-- @include lib/now
-- @include lib/whole
-- @include lib/circuit_load
-- @include lib/circuit_move
-- @include lib/circuit_keep
local now_us, wish = now(ARGV[1]), ARGV[2]
local circuit = circuit_load(KEYS[1])
local moved = {}
if wish ~= '' and circuit.state ~= wish then
  circuit_move(KEYS[1], KEYS[2], circuit.generation, wish, 'forced')
  redis.call('HSET', KEYS[1], wish == 'open' and 'opened_at_us' or 'closed_at_us', whole(now_us))
  moved = {circuit.state, wish, 'forced'}
end
if wish == '' then
  redis.call('HDEL', KEYS[1], 'forced')
elseif wish == 'open' then
  redis.call('HSET', KEYS[1], 'forced', wish, 'open_until_us', whole(now_us))
else
  redis.call('HSET', KEYS[1], 'forced', wish, 'consecutive_failures', 0, 'opens', 0)
  redis.call('DEL', KEYS[2])
end
circuit.forced = wish
circuit_keep(KEYS[1], circuit)
return moved
