-- lib/circuit_count: counts a call of a closed circuit, and opens it where a threshold is met: the move it made, or nil.
-- Mirrors domain.resilience.circuit_breaker:_count.
local function circuit_count(keys, circuit, config, now_us, failed, slow, jitter)
  local calls, failures, slow_calls = window_note(keys.window, config.window_us, now_us, failed, slow)
  local in_a_row, reason = failed == 1 and circuit.consecutive_failures + 1 or 0, nil
  if in_a_row >= config.consecutive_failures then
    reason = 'consecutive_failures'
  elseif calls >= config.minimum_calls then
    if failures >= config.failure_rate * calls then
      reason = 'failure_rate'
    elseif slow_calls >= config.slow_call_rate * calls then
      reason = 'slow_call_rate'
    end
  end
  if reason then
    local opens = circuit.opens + 1
    return circuit_open(keys, circuit, now_us, reason, opens, jittered_open(config, opens, jitter))
  end
  local long_closed = now_us - (tonumber(circuit.closed_at_us) or 0) >= config.max_open_duration_us
  if circuit.opens > 0 and failed == 0 and long_closed then
    redis.call('HSET', keys.circuit, 'opens', 0)
  end
  if in_a_row == circuit.consecutive_failures then return nil end
  redis.call('HSET', keys.circuit, 'consecutive_failures', in_a_row)
end
