-- lib/circuit_load: one instance's circuit, cooldown and drain; absent fields are the initial state.
local circuit_fields = {'generation', 'consecutive_failures', 'opens', 'open_until_us', 'probe_successes', 'early',
  'cooldown_until_us', 'guessed_rests', 'drained', 'state', 'forced', 'cooldown', 'probes', 'closed_at_us'}
local function circuit_load(key)
  local stored, circuit = redis.call('HMGET', key, unpack(circuit_fields)), {}
  for place = 1, 9 do
    circuit[circuit_fields[place]] = tonumber(stored[place] or 0)
  end
  for place = 10, 14 do
    circuit[circuit_fields[place]] = stored[place] or ''
  end
  if circuit.state == '' then circuit.state = 'closed' end
  local probes = {}
  for holder, expires_us in string.gmatch(circuit.probes, '(%S+) (%d+)') do
    probes[#probes + 1] = {holder, tonumber(expires_us)}
  end
  circuit.probes = probes
  return circuit
end
