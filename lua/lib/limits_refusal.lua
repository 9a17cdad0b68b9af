-- lib/limits_refusal: which limit of its own an instance would exceed, and the wait; nil where none. What is counted is
-- read once, and only where a limit asks for it; it is kept for the charge. Changes nothing.
-- Mirrors domain.routing.admission:_over_a_limit.
-- @include lib/charges_read
-- @include lib/charges_wait
local function limits_refusal(instance, settings)
  local first, limits, now_us = 2 + 3 * (instance - 1), 8 + 3 * (instance - 1), settings.now_us
  local rpm, tpm, most = tonumber(ARGV[limits]), tonumber(ARGV[limits + 1]), tonumber(ARGV[limits + 2])
  if rpm or tpm then
    local charges = settings.charges[instance] or charges_read(KEYS[first + 1], now_us)
    settings.charges[instance] = charges
    if rpm and charges.requests + 1 > rpm then
      return 'rpm_limit', charges_wait(KEYS[first + 1], charges, 2, rpm, 1, now_us)
    end
    if tpm and charges.tokens + settings.tokens > tpm then
      return 'tpm_limit', charges_wait(KEYS[first + 1], charges, 3, tpm, settings.tokens, now_us)
    end
  end
  if most and redis.call('ZCOUNT', KEYS[first + 2], settings.after, '+inf') >= most then
    return 'max_parallel', ''
  end
end
