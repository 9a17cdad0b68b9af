-- lib/circuit_move: puts a circuit into its next state, in a new generation, without the evidence and the permits of
-- the old one. Mirrors domain.resilience.circuit:move.
local function circuit_move(key, window_key, generation, after, reason)
  redis.call('HSET', key, 'state', after, 'generation', generation + 1, 'consecutive_failures', 0, 'probes', '',
    'probe_successes', 0, 'early', 0, 'reason', reason)
  redis.call('DEL', window_key)
end
