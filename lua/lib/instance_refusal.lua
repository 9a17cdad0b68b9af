-- lib/instance_refusal: why an instance can't be taken now, and the wait; nil where it can. Changes nothing.
-- Mirrors domain.routing.admission:_examine.
local function instance_refusal(instance, last_resort, settings)
  local first, now_us = 2 + 4 * (instance - 1), settings.now_us
  local circuit = circuit_load(KEYS[first])
  if circuit.drained == 1 then
    return 'drained', ''
  end
  local generation, reason, wait_us = circuit_peek(circuit, now_us, last_resort, settings.probes, settings.open_us)
  if generation == nil then
    return reason, wait_us
  end
  if now_us < circuit.cooldown_until_us and not (last_resort and circuit.cooldown == 'misconfigured') then
    return 'cooling_down', whole(circuit.cooldown_until_us - now_us)
  end
  local limits = 8 + 3 * (instance - 1)
  local requests_wait_us = ring_refusal(KEYS[first + 1], ARGV[limits], 1, now_us)
  if requests_wait_us then return 'rpm_limit', requests_wait_us end
  local tokens_wait_us = ring_refusal(KEYS[first + 2], ARGV[limits + 1], settings.tokens, now_us)
  if tokens_wait_us then return 'tpm_limit', tokens_wait_us end
  local most = ARGV[limits + 2]
  if most ~= '' and redis.call('ZCOUNT', KEYS[first + 3], '(' .. whole(now_us), '+inf') >= tonumber(most) then
    return 'max_parallel', ''
  end
end
