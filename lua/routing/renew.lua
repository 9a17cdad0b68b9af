-- routing/renew.lua: extends an attempt's lease, and the probe permit that goes with it, where they still live.
--
-- KEYS[1]  circuit   hash    the instance's circuit
-- KEYS[2]  leases    zset    running attempts by expiry
-- KEYS[3]  admitted  string  the answer given to this lease
-- ARGV[1]  now_us    int|""  virtual time for tests; "" reads the server's TIME
-- ARGV[2]  lease_id  text    the lease
-- ARGV[3]  lease_us  int     how long both last from now
--
-- Returns  1 where the lease was extended, else 0
-- Writes   the lease (key: twice lease_us), the permit, the answer's TTL
-- Mirrors  domain.routing.instance_state:renew
--
-- @include lib/now
-- @include lib/whole
-- @include lib/circuit_load
-- @include lib/probes_text
local now_us, lease_id, lease_us = now(ARGV[1]), ARGV[2], tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', whole(now_us))
if not redis.call('ZSCORE', KEYS[2], lease_id) then
  return 0
end
redis.call('ZADD', KEYS[2], whole(now_us + lease_us), lease_id)
redis.call('PEXPIRE', KEYS[2], math.floor(lease_us / 500))
redis.call('PEXPIRE', KEYS[3], math.floor(lease_us / 1000))
local circuit = circuit_load(KEYS[1])
for _, probe in ipairs(circuit.probes) do
  if probe[1] == lease_id and probe[2] > now_us then
    probe[2] = now_us + lease_us
    redis.call('HSET', KEYS[1], 'probes', probes_text(circuit.probes, now_us, ''))
  end
end
return 1
