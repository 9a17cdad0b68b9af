-- routing/view.lua: a picture of one instance, for the snapshots that gateways choose by.
--
-- KEYS[1]  circuit   hash  the instance's circuit and rest; absent: closed and awake
-- KEYS[2]  charges   hash  requests and tokens of the last minute by second
-- KEYS[3]  leases    zset  running attempts by expiry
-- KEYS[4]  latency   hash  `estimate_us updated_us` by kind
-- ARGV[1]  now_us    int|""  virtual time for tests; "" reads the server's TIME
--
-- Returns  {now_us, state, open_until_us, forced, closed_at_us, cooldown, cooldown_until_us, drained, in_flight,
--          requests, tokens, opened_at_us, reason, kind, latency…}; times as text, "" for never
-- Writes   nothing
-- Mirrors  domain.routing.instance_state:view
--
-- @include lib/now
-- @include lib/whole
-- @include lib/circuit_load
-- @include lib/charges_read
local now_us = now(ARGV[1])
local circuit = circuit_load(KEYS[1])
local in_flight = redis.call('ZCOUNT', KEYS[3], '(' .. whole(now_us), '+inf')
local history = redis.call('HMGET', KEYS[1], 'opened_at_us', 'reason')
local charges = charges_read(KEYS[2], now_us)
return {whole(now_us), circuit.state, whole(circuit.open_until_us), circuit.forced, circuit.closed_at_us,
  circuit.cooldown, whole(circuit.cooldown_until_us), circuit.drained, in_flight, charges.requests, charges.tokens,
  history[1] or '', history[2] or '', unpack(redis.call('HGETALL', KEYS[4]))}
