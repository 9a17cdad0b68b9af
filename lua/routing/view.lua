-- routing/view.lua: a picture of one instance, for the snapshots that gateways choose by.
--
-- KEYS[1]  circuit   hash  the instance's circuit and rest; absent: closed and awake
-- KEYS[2]  requests  hash  ring of requests by second
-- KEYS[3]  tokens    hash  ring of tokens by second
-- KEYS[4]  leases    zset  running attempts by expiry
-- KEYS[5]  latency   hash  `estimate_us updated_us` by kind
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
-- @include lib/ring_used
local now_us = now(ARGV[1])
local circuit = circuit_load(KEYS[1])
local in_flight = redis.call('ZCOUNT', KEYS[4], '(' .. whole(now_us), '+inf')
local history = redis.call('HMGET', KEYS[1], 'opened_at_us', 'reason')
local requests, tokens = ring_used(KEYS[2], now_us), ring_used(KEYS[3], now_us)
return {whole(now_us), circuit.state, whole(circuit.open_until_us), circuit.forced, circuit.closed_at_us,
  circuit.cooldown, whole(circuit.cooldown_until_us), circuit.drained, in_flight, requests, tokens,
  history[1] or '', history[2] or '', unpack(redis.call('HGETALL', KEYS[5]))}
