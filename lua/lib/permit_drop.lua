-- lib/permit_drop: gives back a probe permit; that is no outcome. Mirrors domain.resilience.circuit_breaker:release.
local function permit_drop(key, circuit, now_us, holder)
  if #circuit.probes > 0 then
    redis.call('HSET', key, 'probes', probes_text(circuit.probes, now_us, holder))
  end
end
