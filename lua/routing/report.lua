-- routing/report.lua: what an attempt came to: gives back what it held, and learns from it.
--
-- KEYS[1]   admitted  string  the answer given to this lease
-- KEYS[2]   circuit   hash    the instance's circuit and rest; absent: closed and awake
-- KEYS[3]   window    hash    outcomes by second: `calls failures slow`
-- KEYS[4]   charges   hash    requests and tokens of the last minute by second
-- KEYS[5]   leases    zset    running attempts by expiry
-- KEYS[6]   latency   hash    `estimate_us updated_us` by kind
-- KEYS[7..] sketches  hash    six, by minute modulo 6: counts by bucket
-- ARGV[1]   now_us          int|""  virtual time for tests; "" reads the server's TIME
-- ARGV[2]   lease_id        text    the lease of the attempt
-- ARGV[3]   generation      int     of the circuit when the attempt was admitted
-- ARGV[4]   bucket_s        int     where its tokens were charged
-- ARGV[5]   outcome         text    success | failure | ignored
-- ARGV[6]   kind            text    of the latency
-- ARGV[7]   latency_us      int|""  "" where it tells nothing
-- ARGV[8]   slow            0|1     it counts as a slow call
-- ARGV[9]   difference      int|""  tokens used minus tokens reserved; "" where unknown
-- ARGV[10]  jitter          float   in [0, 1); spreads the open time
-- ARGV[11]  cooldown        text    why the instance rests; "" where it does not
-- ARGV[12]  cooldown_us     int     for how long
-- ARGV[13]  cooldown_grows  0|1     that is a guess, and doubles
-- ARGV[14..] config         number  window_us, minimum_calls, failure_rate, slow_call_rate, consecutive_failures,
--                                   open_duration_us, max_open_duration_us, probes_to_close
--
-- Returns  {before, after, reason} of the circuit; {} where it did not move or the lease is not held (any more)
-- Writes   all of the above: circuit and rest (7 d; none while forced or drained), window (its length), latency (1 h),
--          sketches (6 min), charges (TTL as after the admission)
-- Mirrors  domain.routing.instance_state:apply
--
-- @include lib/now
-- @include lib/whole
-- @include lib/circuit_load
-- @include lib/probes_text
-- @include lib/permit_drop
-- @include lib/window_note
-- @include lib/jittered_open
-- @include lib/circuit_move
-- @include lib/circuit_open
-- @include lib/circuit_count
-- @include lib/circuit_probed
-- @include lib/circuit_record
-- @include lib/circuit_keep
-- @include lib/rest_note
-- @include lib/latency_learn
-- @include lib/sketch_add
-- @include lib/charges_settle
local now_us, outcome = now(ARGV[1]), ARGV[5]
redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', whole(now_us))
if redis.call('ZREM', KEYS[5], ARGV[2]) == 0 then
  return {}
end
redis.call('DEL', KEYS[1])
if ARGV[9] ~= '' then
  charges_settle(KEYS[4], tonumber(ARGV[4]), 0, tonumber(ARGV[9]))
end
local circuit = circuit_load(KEYS[2])
rest_note(KEYS[2], circuit, now_us, outcome, ARGV[11], tonumber(ARGV[12]), ARGV[13] == '1')
if ARGV[7] ~= '' then
  latency_learn(KEYS[6], ARGV[6], tonumber(ARGV[7]), outcome, now_us)
  if outcome == 'success' then
    sketch_add(7, tonumber(ARGV[7]), now_us)
  end
end
local names, config = {'window_us', 'minimum_calls', 'failure_rate', 'slow_call_rate', 'consecutive_failures',
  'open_duration_us', 'max_open_duration_us', 'probes_to_close'}, {}
for place, name in ipairs(names) do
  config[name] = tonumber(ARGV[13 + place])
end
local report = {lease_id = ARGV[2], generation = tonumber(ARGV[3]), outcome = outcome, slow = tonumber(ARGV[8]),
  jitter = tonumber(ARGV[10])}
local moved = circuit_record({circuit = KEYS[2], window = KEYS[3]}, circuit, config, now_us, report)
circuit_keep(KEYS[2], circuit)
return moved or {}
