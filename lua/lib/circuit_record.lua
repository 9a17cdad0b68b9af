-- lib/circuit_record: feeds one outcome to a circuit and gives back the probe permit: the move it made, or nil.
-- Mirrors domain.resilience.circuit_breaker:record.
local function circuit_record(keys, circuit, config, now_us, report)
  local holds = false
  for _, probe in ipairs(circuit.probes) do
    holds = holds or (probe[1] == report.lease_id and probe[2] > now_us)
  end
  permit_drop(keys.circuit, circuit, now_us, report.lease_id)
  if report.generation ~= circuit.generation or report.outcome == 'ignored' or circuit.forced ~= '' then
    return nil
  end
  local failed = report.outcome == 'failure' and 1 or 0
  if circuit.state == 'closed' then
    return circuit_count(keys, circuit, config, now_us, failed, report.slow, report.jitter)
  elseif holds then
    return circuit_probed(keys, circuit, config, now_us, failed, report.jitter)
  end
end
