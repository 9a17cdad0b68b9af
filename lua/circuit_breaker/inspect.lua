-- circuit_breaker/inspect.lua: one instance as it stands, for people: its circuit, its load, its latency.
--
-- KEYS[1]    circuit   hash    the instance's circuit, rest and drain; absent: closed and awake
-- KEYS[2]    leases    zset    running attempts by expiry
-- KEYS[3..]  sketches  hash    six for each kind of latency, by minute modulo 6: counts by bucket
-- ARGV[1]    now_us    int|""  virtual time for tests; "" reads the server's TIME
--
-- Returns  {now_us, state, opened_at_us, open_until_us, reason, forced, drained, cooldown, cooldown_until_us,
--          in_flight, then for each kind a list: bucket, samples, …}; times as text, "" for never
-- Writes   nothing
-- Mirrors  domain.routing.instance_report:report_of
--
-- @include lib/now
-- @include lib/whole
-- @include lib/circuit_load
-- @include lib/sketch_merged
local now_us = now(ARGV[1])
local circuit = circuit_load(KEYS[1])
local history = redis.call('HMGET', KEYS[1], 'opened_at_us', 'reason')
local in_flight = redis.call('ZCOUNT', KEYS[2], '(' .. whole(now_us), '+inf')
local sketches = {}
for first = 3, #KEYS, 6 do
  sketches[#sketches + 1] = sketch_merged(first, now_us)
end
return {whole(now_us), circuit.state, history[1] or '', whole(circuit.open_until_us), history[2] or '', circuit.forced,
  circuit.drained, circuit.cooldown, whole(circuit.cooldown_until_us), in_flight, unpack(sketches)}
