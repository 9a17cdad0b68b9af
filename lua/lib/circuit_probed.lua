-- lib/circuit_probed: what a probe's outcome does to a half-open circuit: the move it made, or nil.
-- Mirrors domain.resilience.circuit_breaker:_probe_succeeded and _probe_failed.
local function circuit_probed(keys, circuit, config, now_us, failed, jitter)
  if failed == 0 then
    local successes = circuit.probe_successes + 1
    if successes < config.probes_to_close then
      redis.call('HSET', keys.circuit, 'probe_successes', successes)
      return nil
    end
    circuit_move(keys.circuit, keys.window, circuit.generation, 'closed', 'probes_succeeded')
    redis.call('HSET', keys.circuit, 'closed_at_us', whole(now_us))
    return {circuit.state, 'closed', 'probes_succeeded'}
  end
  local opens, span_us = circuit.opens, circuit.open_until_us - now_us
  if circuit.early == 0 then
    opens = opens + 1
    span_us = jittered_open(config, opens, jitter)
  elseif span_us <= 0 then
    span_us = jittered_open(config, opens, jitter)
  end
  return circuit_open(keys, circuit, now_us, 'probe_failed', opens, span_us)
end
