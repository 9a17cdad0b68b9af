-- lib/instance_refusal: why an instance can't be taken now, and the wait; nil where it can. Changes nothing, but keeps
-- the generations of quiet circuits and the charges that it has read in `settings`.
-- Mirrors domain.routing.admission:_examine.
-- @include lib/circuit_quiet
-- @include lib/limits_refusal
local function instance_refusal(instance, last_resort, settings)
  local key, now_us = KEYS[2 + 3 * (instance - 1)], settings.now_us
  local quiet = settings.quiet[instance] or circuit_quiet(key, now_us)
  settings.quiet[instance] = quiet
  if quiet then
    return limits_refusal(instance, settings)
  end
  local circuit = circuit_load(key)
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
  return limits_refusal(instance, settings)
end
