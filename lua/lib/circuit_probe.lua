-- lib/circuit_probe: gives a probe permit, which half-opens an open circuit: the state it was in and the reason; "" twice
-- where it did not move. Mirrors domain.resilience.circuit_breaker:try_acquire.
-- @include lib/circuit_keep
-- @include lib/probes_text
local function circuit_probe(key, circuit, generation, now_us, lease_id, lease_us)
  local early, before, reason = now_us < circuit.open_until_us, '', ''
  if circuit.state == 'open' then
    before, reason = 'open', early and 'last_resort' or 'due'
    redis.call('HSET', key, 'state', 'half_open', 'generation', generation, 'consecutive_failures', 0,
      'probe_successes', 0, 'reason', reason)
  end
  circuit.probes[#circuit.probes + 1] = {lease_id, now_us + lease_us}
  redis.call('HSET', key, 'probes', probes_text(circuit.probes, now_us, ''), 'early', early and 1 or 0)
  circuit_keep(key, circuit)
  return before, reason
end
