-- routing/admit.lua: takes the first instance of a plan that circuit, cooldown and limits allow, or nothing at all.
--
-- KEYS[1]    admitted   string  the answer given to this lease, and what it took of round-robins; absent: not asked yet
-- KEYS[2..]  instances  mixed   three for each instance (circuit hash, charges hash, leases zset), then one hash of
--                               credits for each round-robin of the plan; absent: the initial state
-- ARGV[1]    now_us            int|""  virtual time for tests; "" reads the server's TIME
-- ARGV[2]    lease_id          text    the lease to take
-- ARGV[3]    tokens            int     charged to the instance's tokens per minute
-- ARGV[4]    lease_us          int     how long the lease, and a probe permit, last
-- ARGV[5]    half_open_probes  int     probes of a half-open circuit at a time
-- ARGV[6]    open_duration_us  int     the longest wait told for a half-open circuit
-- ARGV[7]    instance_count    int     how many instances come in KEYS
-- ARGV[8..]  limits_and_plan   mixed   rpm, tpm, max_parallel of each instance ("" for none), then the plan, parents
--                                      first: L instance last_resort | O children | W turn children, and before
--                                      each child of W its name and weight
--
-- Returns  {1, instance, generation, probe, bucket_s, in_flight, before, reason, refusals…} or {0, refusals…}; a
--          refusal is instance, reason, wait in microseconds as text ("" for none); `before` is "" where no circuit
--          moved, in_flight -1 where the answer is repeated
-- Writes   the admitted answer (TTL lease_us), the instance's circuit (7 d), charges (62 s), lease (twice lease_us),
--          and the credits on the way to it (1 h); nothing where it answers 0
-- Mirrors  domain.routing.admission:admit
--
-- @include lib/now
-- @include lib/whole
-- @include lib/circuit_load
-- @include lib/circuit_peek
-- @include lib/circuit_probe
-- @include lib/charges_read
-- @include lib/charges_add
-- @include lib/turn_pick
-- @include lib/instance_refusal
-- @include lib/plan_walk
-- @include lib/plan_leaf
-- @include lib/plan_ordered
-- @include lib/plan_weighted
local held = redis.call('GET', KEYS[1])
local now_us, lease_id, lease_us = now(ARGV[1]), ARGV[2], tonumber(ARGV[4])
local count = tonumber(ARGV[7])
if held then
  local instance, generation, probe, bucket_s = string.match(held, '^(%d+) (%d+) (%d) (%d+)')
  return {1, tonumber(instance), tonumber(generation), tonumber(probe), tonumber(bucket_s), -1, '', ''}
end
local settings = {now_us = now_us, tokens = tonumber(ARGV[3]), probes = tonumber(ARGV[5]), open_us = tonumber(ARGV[6]),
  after = '(' .. whole(now_us), quiet = {}, charges = {}}
local context = {refusals = {}, turns = 1 + 3 * count, refusal = function(instance, last_resort)
  return instance_refusal(instance, last_resort, settings)
end}
local path = plan_walk({place = 8 + 3 * count}, context)
if path == nil then
  return {0, unpack(context.refusals)}
end
local first = 2 + 3 * (path.instance - 1)
local before, reason, bucket_s = '', '', math.floor(now_us / 1000000)
local generation, probe, circuit = settings.quiet[path.instance], 0, nil
if generation == nil then
  circuit = circuit_load(KEYS[first])
  generation, probe = circuit_peek(circuit, now_us, path.last_resort, settings.probes, settings.open_us)
end
if probe == 1 then
  before, reason = circuit_probe(KEYS[first], circuit, generation, now_us, lease_id, lease_us)
end
local in_flight = redis.call('ZCOUNT', KEYS[first + 2], settings.after, '+inf') + 1
redis.call('ZADD', KEYS[first + 2], whole(now_us + lease_us), lease_id)
redis.call('PEXPIRE', KEYS[first + 2], math.floor(lease_us / 500))
local charges = settings.charges[path.instance] or charges_read(KEYS[first + 1], now_us)
charges_add(KEYS[first + 1], charges, settings.tokens)
local said = string.format('%d %d %d %s', path.instance, generation, probe, whole(bucket_s))
for _, turn in ipairs(path.turns) do
  said = said .. string.format(' %d:%d:%s', turn.turn, turn.picked, table.concat(turn.passed, ','))
  redis.call('HSET', turn.key, unpack(turn.credits))
  redis.call('PEXPIRE', turn.key, 3600000)
end
redis.call('SET', KEYS[1], said, 'PX', math.floor(lease_us / 1000))
return {1, path.instance, generation, probe, bucket_s, in_flight, before, reason, unpack(context.refusals)}
