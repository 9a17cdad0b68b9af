-- lib/jittered_open: how long a circuit stays open the `opens`th time in a row, in microseconds.
-- Mirrors domain.resilience.circuit_breaker_config:CircuitBreakerConfig.jittered_open_us.
local function jittered_open(config, opens, jitter)
  local doublings = math.min(math.max(opens, 1) - 1, 40)
  local span_us = math.min(config.max_open_duration_us, config.open_duration_us * 2 ^ doublings)
  return math.max(1, math.floor(span_us * (0.5 + 0.5 * jitter)))
end
