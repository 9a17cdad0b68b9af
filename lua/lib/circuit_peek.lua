-- lib/circuit_peek: whether a circuit lets a call through: generation and probe, or nil, the reason and the wait in
-- microseconds ("" where waiting does not help). Mirrors domain.resilience.circuit_breaker:peek.
local function circuit_peek(circuit, now_us, last_resort, half_open_probes, open_duration_us)
  if circuit.state == 'closed' then
    return circuit.generation, 0
  end
  if circuit.state == 'open' then
    if circuit.forced ~= '' then return nil, 'circuit_open', '' end
    if last_resort or now_us >= circuit.open_until_us then return circuit.generation + 1, 1 end
    return nil, 'circuit_open', whole(circuit.open_until_us - now_us)
  end
  local live, first_us = 0, nil
  for _, probe in ipairs(circuit.probes) do
    if probe[2] > now_us then
      live = live + 1
      first_us = math.min(first_us or probe[2], probe[2])
    end
  end
  if live >= half_open_probes then
    return nil, 'probes_in_flight', whole(math.min(first_us - now_us, open_duration_us))
  end
  return circuit.generation, 1
end
