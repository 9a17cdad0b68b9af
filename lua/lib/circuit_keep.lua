-- lib/circuit_keep: 7 days without a report and a circuit is forgotten; what an operator has set stays until it is
-- undone. Whatever gives a circuit's hash a TTL does it here.
local function circuit_keep(key, circuit)
  if circuit.drained == 1 or circuit.forced ~= '' then
    redis.call('PERSIST', key)
  else
    redis.call('PEXPIRE', key, 604800000)
  end
end
