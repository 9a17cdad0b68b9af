-- lib/circuit_open: opens a circuit for `span_us`. Mirrors domain.resilience.circuit_breaker:_open.
local function circuit_open(keys, circuit, now_us, reason, opens, span_us)
  circuit_move(keys.circuit, keys.window, circuit.generation, 'open', reason)
  redis.call('HSET', keys.circuit, 'opens', opens, 'opened_at_us', whole(now_us), 'open_until_us',
    whole(now_us + span_us))
  return {circuit.state, 'open', reason}
end
